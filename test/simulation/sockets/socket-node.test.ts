import { describe, expect, test } from "vitest";
import { applicationNode } from "../application-node.ts";
import type { TransportPlan } from "../clients/engine-client.ts";
import type { NodeContext } from "../node-context.ts";
import { created, eventsOf, pass, simulate } from "../nodes-fixture.ts";

const everywhere = ["/", "/chat", "/room-1"];

function nodeOf(plan: TransportPlan, namespaces = everywhere) {
  return (context: NodeContext) => {
    const node = applicationNode(context, { plans: [plan], namespaces: [namespaces] });
    node.heal?.();
    return node;
  };
}

describe.each<TransportPlan>(["polling", "websocket", "upgrade"])("by %s", (plan) => {
  test("a logout closes the sockets of all namespaces, on all nodes", async () => {
    const states: string[] = [];
    const world = await simulate(1, nodeOf(plan), async ({ nodes: [one, other], world }) => {
      const sid = await created(one);
      const sockets = [one?.connect(sid, "a"), other?.connect(sid, "b")];
      await pass(world, 8_000);
      for (const socket of sockets) {
        socket?.say();
        socket?.tell();
      }
      await pass(world, 1_000);
      states.push(...sockets.map((socket) => String(socket?.state)));
      await one?.end(sid);
      await pass(world, 1_000);
      states.push(...sockets.map((socket) => `${socket?.state} ${socket?.isFinal}`));
    });
    expect(eventsOf(world, "crash")).toEqual([]);
    expect(states).toEqual(["open", "open", "closed true", "closed true"]);
    expect(eventsOf(world, "admitted")).toHaveLength(6);
    const ended = eventsOf(world, "done").at(-1)?.at ?? 0;
    const closed = eventsOf(world, "closed");
    expect(closed).toHaveLength(6);
    for (const { at, reason } of closed) {
      expect(at - ended).toBeLessThan(200);
      expect(reason).toBe("server namespace disconnect");
    }
    const served = eventsOf(world, "served");
    expect(served.length).toBeGreaterThanOrEqual(4);
  });
});
