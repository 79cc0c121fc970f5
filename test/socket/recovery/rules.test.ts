/** Connection state recovery where a rule is among the middleware, which Socket.IO skips for recovered sockets. */
import { forbiddenEvent } from "socket-session";
import { afterEach, expect, test } from "vitest";
import { until } from "../../recipe/waiting.ts";
import { disconnected } from "../../support/browser.ts";
import { followLifecycle } from "../../support/lifecycle.ts";
import { comeBack, type Departed, departed, type Steps, startNodes } from "./departures.ts";
import { type Nodes, type RecoveryPlace, recoveryPlaces } from "./nodes.ts";
import { askFor, begin, holdRestored, wayOf } from "./recoveries.ts";

let nodes: Nodes;
let steps: Steps;
afterEach(() => nodes.close());

async function leave(place: RecoveryPlace, skipMiddlewares: boolean): Promise<Departed> {
  ({ nodes, steps } = await startNodes(place, { skipMiddlewares }));
  for (const world of new Set([nodes.here, nodes.there])) {
    const rule = world.sessions.require(({ name }) => name === "ada", { code: "NOT_ADA" });
    world.io.of("/admin").use(rule);
    world.io.of("/admin").on("connection", (socket) => {
      if (!socket.recovered) rule.room(socket, "adas");
      socket.on("rooms", (done) => done([...socket.rooms].includes("adas")));
      socket.on("join", (done) => done(rule.room(socket, "adas")));
    });
  }
  const left = await departed(nodes, await nodes.visitor({ name: "ada" }), "websocket", {
    namespace: "/admin",
  });
  steps.length = 0;
  return left;
}

for (const place of recoveryPlaces) {
  place.describe(`a rule, ${place.name}`, () => {
    test.each([true, false])("holds for a recovered socket, with skipMiddlewares: %s", async (skip) => {
      const left = await leave(place, skip);
      await comeBack(left);
      expect(left.client.recovered).toBe(true);
      await until(() => left.received.length === 2);
      const gone = disconnected(left.client);
      const events: unknown[] = [];
      left.client.onAny((...event) => events.push(event));
      await left.tab.post("/write", { name: "eve" });
      expect(await gone).toBe("io server disconnect");
      expect(events).toContainEqual([forbiddenEvent, { code: "NOT_ADA", namespace: "/admin" }]);
    });

    test.each([true, false])(
      "refuses one whose session no longer satisfies it, which gets nothing it missed, with skipMiddlewares: %s",
      async (skip) => {
        const left = await leave(place, skip);
        await left.tab.post("/write", { name: "eve" });
        const { brief } = followLifecycle(nodes.there.sessions);
        const { wire, outcome, raw } = await askFor(
          nodes,
          left.tab.cookie,
          "websocket",
          wayOf(left),
          "/admin",
        );
        expect(outcome).toBe("NOT_ADA");
        expect(brief()).toEqual(["forbidden NOT_ADA at /admin, undefined"]);
        expect(wire).not.toContain("missed");
        expect(steps.filter((step) => step.startsWith("recovered") || step.startsWith("new"))).toEqual([]);
        raw.close();
      },
    );

    test("refuses one whose session changes while the adapter restores it", async () => {
      const left = await leave(place, true);
      const held = holdRestored(nodes.there.io.of("/admin"));
      const { raw, wire } = await begin(nodes, left, "websocket", "/admin");
      await until(() => held.restored === 1);
      await left.tab.post("/write", { name: "eve" });
      held.release();
      await until(() => wire().includes("NOT_ADA"));
      expect(wire()).not.toContain("missed");
      raw.close();
    });

    test("a guarded room is not recovered, and is joined again when the application asks", async () => {
      const left = await leave(place, true);
      await comeBack(left);
      expect(left.client.recovered).toBe(true);
      expect(await left.client.emitWithAck("rooms")).toBe(false);
      expect(await left.client.emitWithAck("join")).toBe(true);
      expect(await left.client.emitWithAck("rooms")).toBe(true);
    });
  });
}
