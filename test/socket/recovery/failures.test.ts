/** Connection state recovery that fails in the middle. */
import { afterEach, describe, expect, test } from "vitest";
import { departed, startNodes } from "./departures.ts";
import { inMemory, type Nodes } from "./nodes.ts";
import { askFor, wayOf } from "./recoveries.ts";

let nodes: Nodes;
afterEach(() => nodes.close());

describe.each(["polling", "websocket"])("a missed packet that can't be encoded, by %s", (transport) => {
  test("gives the client a new socket, and is reported; the process and the pid go on", async () => {
    let steps: string[];
    ({ nodes, steps } = await startNodes(inMemory, { skipMiddlewares: true }));
    const left = await departed(nodes, await nodes.visitor({ name: "ada" }), transport);
    expect(() => nodes.there.io.emit("news", 1n)).toThrow(TypeError); // the adapter has kept it all the same
    steps.length = 0;
    for (let n = 1; n <= 2; n++) {
      const { outcome, raw } = await askFor(nodes, left.tab.cookie, transport, wayOf(left));
      expect(outcome).toMatchObject({ name: "ada", session: "live", isInRoom: true });
      expect(steps.at(-1)).toBe("new for ada");
      expect(nodes.there.errors).toHaveLength(n);
      raw.close();
    }
    expect(nodes.there.errors[0]).toMatchObject({ code: "LISTENER_FAILED", cause: expect.any(TypeError) });
  });
});
