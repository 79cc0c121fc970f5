import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { sqliteStore } from "socket-session/sqlite";
import { afterEach, describe, expect, test, vi } from "vitest";
import { isOlder, requireNode } from "../../src/base/versions.ts";
import { sources } from "../package/sources.ts";
import { secret } from "../support/world.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const told =
  "socket-session needs Node 22.13 or later; this is 20.20.2. Update Node: install a current release, or change the base image of the container.";
const refusal = expect.objectContaining({ code: "UNSUPPORTED_UPSTREAM", message: told });

test.each([
  ["22.12.9", [22, 13, 0], true],
  ["22.13.0", [22, 13, 0], false],
  ["22.13.0-nightly", [22, 13, 0], false],
  ["9.99.99", [22, 13, 0], true],
  ["24.0.0", [22, 13, 0], false],
  ["6.6.11", [6, 6, 12], true],
  ["6.10.0", [6, 6, 12], false],
] as const)("%s, where %s is needed", (version, least, older) => {
  expect(isOlder(version, least)).toBe(older);
});

describe("an old Node", () => {
  test("is refused by name", () => {
    expect(() => requireNode("20.20.2")).toThrow(refusal);
    requireNode("22.13.0");
    requireNode();
  });

  test("is refused by whatever is created first", () => {
    vi.stubGlobal("process", Object.create(process, { versions: { value: { node: "20.20.2" } } }));
    expect(() => liveSessions({ store: { get() {} }, secret: "" } as never)).toThrow(refusal);
    expect(() => sqliteStore({ path: ":memory:" })).toThrow(refusal);
  });

  test("is also refused without node:sqlite: only types are imported from it", () => {
    const importing = sources().filter(({ text }) => /^import (?!type ).*"node:sqlite"/m.test(text));
    expect(importing.map(({ file }) => file)).toEqual([]);
  });
});

test("a Node whose node:sqlite is switched off is refused by sqliteStore alone", async () => {
  vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
  expect(() => sqliteStore({ path: ":memory:" })).toThrow(
    expect.objectContaining({
      code: "UNSUPPORTED_UPSTREAM",
      message:
        "sqliteStore() needs node:sqlite, which this Node has not got, or which --no-experimental-sqlite switches off. Remove that flag, or use a Node of nodejs.org.",
    }),
  );
  await liveSessions({ store: memoryStore(), secret }).close();
});
