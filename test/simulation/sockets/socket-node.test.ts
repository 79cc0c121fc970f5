import { describe, expect, test } from "vitest";
import { applicationNode } from "../application-node.ts";
import type { TransportPlan } from "../clients/engine-client.ts";
import type { Page } from "../clients/pages.ts";
import type { SimulatedNode } from "../node.ts";
import type { NodeContext } from "../node-context.ts";
import { type Cluster, created, eventsOf, pass, simulate } from "../nodes-fixture.ts";
import { socketNode } from "./socket-node.ts";

/** Nothing goes wrong on the way, and every client connects alike. */
function nodeOf(plan: TransportPlan) {
  return (context: NodeContext) => {
    const node = applicationNode(context, {
      recoveries: 1,
      plans: [plan],
      namespaces: [["/", "/chat", "/room-1"]],
    });
    node.heal?.();
    return node;
  };
}

describe.each<TransportPlan>(["polling", "websocket", "upgrade"])("by %s", (plan) => {
  test("a logout closes the sockets of all namespaces, on all nodes", async () => {
    const states: string[] = [];
    const world = await simulate(1, nodeOf(plan), async ({ nodes: [one, other], world }) => {
      const sid = await created(one);
      const sockets = [one?.connect(sid), other?.connect(sid)];
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
    expect(states).toEqual(["open", "open", "closed true", "closed true"]);
    expect(eventsOf(world, "crash")).toEqual([]);
    expect(eventsOf(world, "admitted")).toHaveLength(6);
    expect(eventsOf(world, "served").length).toBeGreaterThanOrEqual(4);
    const ended = eventsOf(world, "done").at(-1)?.at ?? 0;
    const closed = eventsOf(world, "closed");
    expect(closed.map(({ reason }) => reason)).toEqual(Array(6).fill("destroyed"));
    for (const { at } of closed) expect(at - ended).toBeLessThan(200);
  });

  test("of clients that are on their way in when their session ends, none gets in after it", async () => {
    const left: string[] = [];
    const world = await simulate(
      2,
      nodeOf(plan),
      async ({ nodes, world }) => {
        const random = world.random.fork("story");
        for (let time = 0; time < 30; time++) {
          const [one, other] = nodes;
          const sid = await created(one);
          const sockets = [one?.connect(sid), other?.connect(sid), other?.connect(sid)];
          await pass(world, random.int(0, 400)); // handshakes, upgrades and middleware are under way
          await one?.end(sid);
          await pass(world, 5_500); // a client that says nothing is closed after five seconds
          left.push(...sockets.map((socket) => String(socket?.state)));
        }
      },
      { ms: 300_000 },
    );
    expect(eventsOf(world, "crash")).toEqual([]);
    expect(new Set(left)).toEqual(new Set(["closed"]));
    const acknowledgedAt = new Map(eventsOf(world, "done").map(({ session, at }) => [session, at] as const));
    const admitted = eventsOf(world, "admitted");
    expect(admitted.length).toBeGreaterThan(30);
    expect(eventsOf(world, "asks").length).toBeGreaterThan(admitted.length);
    for (const { session, at } of admitted) expect(at).toBeLessThan((acknowledgedAt.get(session) ?? 0) + 20);
  });
});

describe.each<TransportPlan>(["polling", "websocket", "upgrade"])("by %s", (plan) => {
  test.each<Page>(["own", "listed", "none"])(
    "a ticket for %s lets one client in without the cookie, on any node",
    async (page) => {
      const world = await simulate(5, nodeOf(plan), async ({ nodes, world }) => {
        const sid = await created(nodes[0]);
        const ticket = await nodes[0]?.ticket(sid, page);
        if (ticket === undefined || ticket === "over") throw new Error("Expected a ticket.");
        for (const node of nodes) node.connect(sid, { ticket, page, cookie: "none" });
        await pass(world, 8_000);
        const other = page === "none" ? "own" : "none";
        nodes[1]?.connect(sid, { ticket, page: other, cookie: "none" });
      });
      expect(eventsOf(world, "crash")).toEqual([]);
      expect(new Set(eventsOf(world, "admitted").map(({ node }) => node)).size).toBe(1);
      expect(eventsOf(world, "admitted")).toHaveLength(3);
      const { code } = eventsOf(world, "refused").at(-1) ?? {};
      expect(["TICKET_INVALID", "SESSION_REQUIRED"]).toContain(code);
    },
  );

  test("a client that comes back gets its sockets, and what they missed; one of another session does not", async () => {
    const world = await simulate(
      6,
      nodeOf(plan),
      async ({ nodes: [node], world }) => {
        const [sid, other] = [await created(node), await created(node)];
        for (let time = 0; time < 20; time++) {
          const sockets = [node?.connect(sid), node?.connect(other)];
          await pass(world, 5_000);
          for (const socket of sockets) socket?.leave();
          await pass(world, 1_000);
        }
      },
      { ms: 150_000 },
    );
    expect(eventsOf(world, "crash")).toEqual([]);
    const recovered = new Map(eventsOf(world, "recovered").map(({ socket, session }) => [socket, session]));
    expect(new Set(recovered.values()).size).toBe(2);
    const asked = eventsOf(world, "resumes");
    expect(asked.length).toBeGreaterThan(recovered.size);
    const sessionsBySocket = new Map(eventsOf(world, "asks").map(({ socket, session }) => [socket, session]));
    const missed = eventsOf(world, "resent");
    expect(missed.length).toBeGreaterThan(0);
    for (const { socket, of } of [...asked.filter((one) => recovered.has(one.socket)), ...missed])
      expect(sessionsBySocket.get(of)).toBe(sessionsBySocket.get(socket));
  });
});

test("appends of sockets and requests are all there", async () => {
  const world = await simulate(3, nodeOf("upgrade"), async ({ nodes, world }) => {
    const sid = await created(nodes[0]);
    for (const node of nodes) void node.connect(sid);
    await pass(world, 8_000);
    await Promise.all(nodes.flatMap((node) => [1, 2, 3, 4, 5].map(() => node.append(sid, "list-a"))));
    await nodes[0]?.load(sid);
  });
  const done = eventsOf(world, "done").filter(({ what }) => what === "append");
  expect(done).toHaveLength(10);
  const last = eventsOf(world, "done").at(-1)?.saw;
  expect(new Set(last?.lists["list-a"])).toEqual(new Set(done.map(({ op }) => op)));
});

test("a client of a killed node may come again", async () => {
  const states: string[] = [];
  const world = await simulate(4, nodeOf("polling"), async ({ nodes: [one, other], world }) => {
    const sid = await created(other);
    const socket = one?.connect(sid);
    await pass(world, 8_000);
    one?.process.kill();
    await pass(world, 1_000);
    const again = one?.connect(sid);
    await pass(world, 1_000);
    for (const each of [socket, again]) states.push(`${each?.state} ${each?.isFinal}`);
  });
  expect(states).toEqual(["closed false", "closed false"]);
  expect(eventsOf(world, "refused").map(({ code, final }) => [code, final])).toEqual(
    Array(3).fill(["lost", false]),
  );
});

test("one seed gives one trace", async () => {
  const hashes: string[] = [];
  for (const seed of [7, 7, 8]) {
    const world = await simulate(seed, socketNode, visitors, { ms: 120_000 });
    expect(eventsOf(world, "crash")).toEqual([]);
    hashes.push(world.trace.hash);
  }
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[0]).not.toBe(hashes[2]);
});

async function visitors({ nodes, world }: Cluster<SimulatedNode>): Promise<void> {
  const random = world.random.fork("story");
  while (world.now < 110_000) {
    const node = random.pick(nodes);
    const sid = await node.create();
    if (sid === undefined) continue;
    const sockets = nodes.map((one) => one.connect(sid));
    await pass(world, random.int(0, 2_000));
    for (const socket of sockets)
      random.pick([() => socket.say(), () => socket.tell(), () => socket.leave()])();
    await node.append(sid, "list-a");
    await node.end(sid);
  }
}
