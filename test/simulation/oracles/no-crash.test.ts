import { expect, test } from "vitest";
import type { TraceEvent } from "../trace.ts";
import { judged, operation, the } from "./a-run.ts";
import { oracles } from "./all.ts";
import { noCrash } from "./no-crash.ts";

const crash: TraceEvent = { at: 7, kind: "crash", node: "n0", text: "TypeError: x is undefined" };

test("a crash is one, whatever goes wrong around it", () => {
  expect(judged(noCrash, [the.start(0, "n0"), the.fault(5, "kill", 6, "n0")])).toEqual([]);
  expect(judged(noCrash, [the.start(0, "n0"), crash])).toEqual(["7: n0: TypeError: x is undefined"]);
  expect(judged(noCrash, [the.fault(5, "failing", 60), crash])).toHaveLength(1);
});

test("an operation fails with an error that has no code", () => {
  const failed = operation("o1", "save").failed(9, true, "TypeError: x is undefined");
  expect(judged(noCrash, [failed])).toEqual(["9: n0: o1 failed with TypeError: x is undefined"]);
  expect(judged(noCrash, [operation("o1", "save").failed(9, true)])).toEqual([]);
});

test("oracles have names of their own", () => {
  expect(new Set(oracles.map(({ name }) => name)).size).toBe(oracles.length);
});
