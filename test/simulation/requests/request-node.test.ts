import { expect, test } from "vitest";
import type { SimulatedNode } from "../node.ts";
import { type Cluster, created, eventsOf, pass, simulate } from "../nodes-fixture.ts";
import { requestNode } from "./request-node.ts";

/** Without what goes wrong between nodes and clients by itself. */
async function undisturbed({ nodes }: Cluster<SimulatedNode>): Promise<[SimulatedNode, SimulatedNode]> {
  const [one, other] = nodes;
  if (!one || !other) throw new Error("Expected two nodes.");
  for (const node of nodes) node.heal?.();
  return [one, other];
}

test("requests of all kinds change one session, which a logout on another node ends", async () => {
  const world = await simulate(1, requestNode, async (cluster) => {
    const [one, other] = await undisturbed(cluster);
    const sid = await created(one);
    await one.append(sid, "list-a");
    await Promise.all([other.append(sid, "list-a"), one.append(sid, "list-b")]);
    for (let time = 0; time < 4; time++) await other.save(sid, "register-a"); // implicit and explicit
    await one.load(sid);
    await other.end(sid);
    await one.load(sid);
    await one.append(sid, "list-a");
  });
  expect(eventsOf(world, "crash")).toEqual([]);
  const done = eventsOf(world, "done");
  const loads = done.filter(({ what }) => what === "load"); // some are made twice
  expect(
    [...loads.slice(0, 1), ...loads.slice(-1)].map(
      ({ saw }) => saw && { ...saw, lists: Object.keys(saw.lists) },
    ),
  ).toEqual([
    { count: 3, lists: ["list-a", "list-b"], registers: { "register-a": expect.stringMatching(/^o\d+$/) } },
    null,
  ]);
  expect(eventsOf(world, "failed").map(({ code }) => code)).toEqual(["SESSION_ENDED"]);
});

test("a login in a session gives it another id, and the old one is over", async () => {
  let ids: (string | undefined)[] = [];
  const world = await simulate(2, requestNode, async (cluster) => {
    const [one, other] = await undisturbed(cluster);
    const sid = await created(one);
    ids = [sid, await one.regenerate?.(sid)];
    await other.load(sid);
    await other.load(ids[1] ?? "");
  });
  expect(new Set(ids).size).toBe(2);
  expect(eventsOf(world, "done").map(({ what, saw }) => [what, saw?.count])).toEqual([
    ["regenerate", 0],
    ["load", undefined],
    ["load", 0],
  ]);
});

test("a node that is killed answers nothing, and a paused one late", async () => {
  const world = await simulate(4, requestNode, async (cluster) => {
    const [one, other] = await undisturbed(cluster);
    const sid = await created(one);
    other.process.pause();
    cluster.world.after(5_000, () => other.process.resume());
    await other.load(sid);
    const killed = one.load(sid);
    await pass(cluster.world, 3);
    one.process.kill();
    await killed;
    await one.load(sid);
  });
  expect(eventsOf(world, "failed").map(({ code }) => code)).toEqual(["ECONNRESET", "ECONNREFUSED"]);
  expect(eventsOf(world, "done").map(({ at }) => at > 5_000)).toEqual([true]);
});

test("one seed gives one trace", async () => {
  const story = async ({ nodes, world }: Cluster<SimulatedNode>) => {
    const random = world.random.fork("story");
    const sids = (await Promise.all(nodes.map((node) => node.create()))).filter((sid) => sid !== undefined);
    for (let time = 0; time < 200 && sids.length > 0; time++) {
      const [node, sid] = [random.pick(nodes), random.pick(sids)];
      void node.append(sid, "list-a");
      void node.save(sid, "register-a");
      await node.load(sid);
    }
  };
  const hashes = [];
  for (const seed of [7, 7, 8]) {
    const { trace } = await simulate(seed, requestNode, story);
    expect(trace.events.filter(({ kind }) => kind === "crash")).toEqual([]);
    hashes.push(trace.hash);
  }
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[0]).not.toBe(hashes[2]);
});
