/** Each simulated database, with the product's store for it: without faults, and with each of them. */
import { describe, expect, it } from "vitest";
import type { Revision, SessionKey } from "../../../src/session-store.ts";
import { databaseKinds } from "./kinds.ts";
import { play, type Scene, type SceneNode } from "./scene.ts";

const HOUR = 3_600_000;
const cookie = { originalMaxAge: null, expires: null };

/** Faults of the listening node or of the database. */
const faults: readonly (readonly [name: string, strike: (scene: Scene, node: SceneNode) => void])[] = [
  ["its connections break", (_scene, { route }) => route.refuse(3_000)],
  ["nothing arrives for a while", (_scene, { route }) => route.silence(8_000)],
  ["nothing arrives for long", (_scene, { route }) => route.silence(30_000)],
  ["messages get lost", (_scene, { route }) => route.deafen(5_000)],
  ["the database hangs", ({ database }) => database.server.hang(5_000)],
  ["the database fails", ({ database }) => database.server.fail(5_000)],
  ["the database is slow", ({ database }) => database.server.slow(5_000, 50)],
  ["the database restarts", ({ database }) => database.server.restart(2_000)],
  ["the process is paused", (scene, node) => pause(scene, node, 6_000)],
];

function pause({ world }: Scene, { process }: SceneNode, ms: number): void {
  process.pause();
  world.after(ms, () => process.resume());
}

const kinds = databaseKinds.filter(({ feed }) => feed === "complete");

describe.each(kinds)("$name", (kind) => {
  it("creates, reads, replaces, touches, destroys, and lets end", async () => {
    const { trace } = await play(kind, 1, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const key = scene.key("one");
      const first = await created(scene, a, key, 10_000);
      expect(await scene.done(b.store.create(key, { cookie }, scene.later(HOUR)))).toBeNull();
      const second = await scene.done(b.store.replace(key, first, { cookie, count: 1 }, "keep"));
      expect(second).not.toBeNull();
      expect(await scene.done(a.store.replace(key, first, { cookie, count: 2 }, "keep"))).toBeNull();
      expect(await scene.done(a.store.touch(key, scene.later(20_000), cookie))).toBe(true);
      await scene.pass(15_000);
      const read = await scene.done(a.store.read(key));
      expect(read).toMatchObject({ document: { count: 1 }, revision: second });
      await scene.pass(6_000);
      expect(await scene.done(b.store.read(key))).toBeNull();
      await created(scene, b, key);
      expect(await scene.done(a.store.destroy(key, "destroyed"))).toBe(true);
      expect(await scene.done(b.store.destroy(key, "destroyed"))).toBe(false);
    });
    const ofSessions = trace.events.filter(({ kind: what }) => what !== "read");
    expect(ofSessions.map(({ kind: what }) => what)).toEqual([
      "stored",
      "stored",
      "touched",
      "stored",
      "removed",
    ]);
    expect(trace.events.filter(({ kind: what }) => what === "read").length).toBeGreaterThan(0);
  });

  it("publishes changes to all, in their order", async () => {
    await play(kind, 2, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const key = scene.key("one");
      const [near, far] = [await scene.listen(a), await scene.listen(b)];
      const first = await created(scene, a, key);
      await scene.done(b.store.replace(key, first, { cookie, count: 1 }, "keep", undefined, "write 1"));
      await scene.done(b.store.touch(key, scene.later(2 * HOUR), cookie));
      await scene.done(a.store.destroy(key, "revoked"));
      await scene.pass(2_000);
      expect(near.events).toEqual(["changed s0", "ended s0"]);
      expect(far.events).toEqual(["changed s0", "ended s0"]);
    });
  });

  it.each(faults)("lets no change be missed silently where %s", async (_name, strike) => {
    await play(kind, 3, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const key = scene.key("one");
      await created(scene, a, key);
      const heard = await scene.listen(b);
      await scene.pass(5_000);
      strike(scene, b);
      await scene.pass(1_000);
      await scene.succeeds(() => a.store.destroy(key, "destroyed")); // again and again, as the database may be away
      await scene.pass(60_000);
      expect(heard.events.some((what) => what === "missed" || what === "ended s0")).toBe(true);
      expect(heard.events.lastIndexOf("broken")).toBeLessThanOrEqual(heard.events.lastIndexOf("missed"));
      expect(await scene.done(b.store.read(key))).toBeNull();
      expect(b.route.connections.size).toBeLessThanOrEqual(10);
    });
  });

  it("notices that its connections broke, where they are back at once", async () => {
    await play(kind, 11, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const key = scene.key("one");
      await created(scene, a, key);
      const heard = await scene.listen(b);
      await scene.pass(5_500);
      b.route.reset();
      await scene.done(a.store.destroy(key, "destroyed"));
      await scene.pass(10_000);
      expect(heard.events.some((what) => what === "missed" || what === "ended s0")).toBe(true);
    });
  });

  it("counts an increment whose answer was lost at most once", async () => {
    await play(kind, 4, async (scene) => {
      const nodes = ["a", "b", "c"].map((name) => scene.start(name, { lostReplies: 0.1 }));
      const key = scene.key("one");
      const [first] = nodes;
      if (!first) throw new Error("Expected a node.");
      await scene.succeeds(() => first.store.create(key, { cookie, count: 0 }, scene.later(HOUR)));
      const counts = { acknowledged: 0, unknown: 0 };
      await scene.done(
        Promise.all(nodes.flatMap((node) => Array.from({ length: 10 }, () => increment(node, key, counts)))),
      );
      scene.database.server.heal();
      await scene.pass(5_000);
      const count = Number((await scene.done(first.store.read(key)))?.document.count);
      expect(count).toBeGreaterThanOrEqual(counts.acknowledged);
      expect(count).toBeLessThanOrEqual(counts.acknowledged + counts.unknown);
    });
  });

  it("forgets the last writes by a failover, where it may, and no other", async () => {
    const { trace } = await play(kind, 5, async (scene) => {
      const node = scene.start("a");
      const { server } = scene.database;
      const [kept, lost] = [scene.key("kept"), scene.key("lost")];
      const first = await created(scene, node, kept);
      await scene.pass(5_000);
      await scene.done(node.store.replace(kept, first, { cookie, count: 1 }, "keep"));
      await created(scene, node, lost);
      server.failOver(500, 1_000);
      await scene.pass(5_000);
      const count = (await scene.done(node.store.read(kept)))?.document.count;
      expect(count).toBe(server.mayForget ? 0 : 1);
      expect((await scene.done(node.store.read(lost))) === null).toBe(server.mayForget);
    });
    const forgotten = trace.events.flatMap((event) =>
      event.kind === "forgotten" ? [event.values?.count] : [],
    );
    expect(forgotten.length === 0 || forgotten.includes(0)).toBe(true);
  });

  it("goes on without a process that was killed, and with the one that takes its place", async () => {
    await play(kind, 6, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const key = scene.key("one");
      await scene.listen(a);
      const heard = await scene.listen(b);
      await created(scene, a, key);
      b.store.create(scene.key("two"), { cookie }, scene.later(HOUR)).catch(() => {}); // it never learns of it
      b.process.kill();
      await scene.pass(100);
      expect(b.route.connections.size).toBe(0);
      const again = scene.start("b");
      const heardAgain = await scene.listen(again);
      expect(await scene.done(a.store.destroy(key, "destroyed"))).toBe(true);
      await scene.pass(1_000);
      expect(heard.events).toEqual([]);
      expect(heardAgain.events).toEqual(["ended s0"]);
    });
  });

  it.each([7, 8, 9, 10])("does the same for the same seed, %d", async (seed) => {
    const told: string[][] = [];
    const run = () => play(kind, seed, async (scene) => void told.push(await mixture(scene)));
    const [one, other] = [await run(), await run()];
    expect(other.trace.hash).toBe(one.trace.hash);
    expect(other.steps).toBe(one.steps);
    expect(told[1]).toEqual(told[0]);
    expect((await play(kind, seed + 100, async (scene) => void (await mixture(scene)))).trace.hash).not.toBe(
      one.trace.hash,
    );
  });
});

async function created(scene: Scene, { store }: SceneNode, key: SessionKey, ms = HOUR): Promise<Revision> {
  const revision = await scene.done(store.create(key, { cookie, count: 0 }, scene.later(ms)));
  if (revision === null) throw new Error("Expected the session to be made.");
  return revision;
}

/** Until it is acknowledged, or fails where it may have been done. */
async function increment(
  { process, store }: SceneNode,
  key: SessionKey,
  counts: { acknowledged: number; unknown: number },
) {
  for (;;) {
    const [read] = await Promise.allSettled([store.read(key)]);
    if (read.status === "rejected" || !read.value) {
      await new Promise<void>((resolve) => process.clock.after(10, resolve));
      continue;
    }
    const { document, revision } = read.value;
    const next = { ...document, count: Number(document.count) + 1 };
    const [replaced] = await Promise.allSettled([store.replace(key, revision, next, "keep")]);
    if (replaced.status === "fulfilled" && replaced.value === null) continue;
    counts[replaced.status === "fulfilled" ? "acknowledged" : "unknown"]++;
    return;
  }
}

/** Faults and writes drawn from the seed, and the changes that the listeners received. */
async function mixture(scene: Scene): Promise<string[]> {
  const random = scene.world.random.fork("mixture");
  const nodes = ["a", "b", "c"].map((name) => scene.start(name, { lostReplies: 0.02 }));
  const listeners = [];
  for (const node of nodes) listeners.push(await scene.listen(node));
  for (let round = 0; round < 60; round++) {
    const [node, key] = [random.pick(nodes), scene.key(`session ${random.int(1, 5)}`)];
    const { store } = node;
    const count = round;
    const write = async () => {
      const read = await store.read(key);
      if (!read) await store.create(key, { cookie, count }, scene.later(random.int(1_000, 20_000)));
      else if (random.chance(0.2)) await store.destroy(key, "destroyed");
      else if (random.chance(0.3)) await store.touch(key, scene.later(30_000), cookie);
      else await store.replace(key, read.revision, { cookie, count }, "keep");
    };
    write().catch(() => {}); // faults make some of them fail
    if (random.chance(0.2)) random.pick(faults)[1](scene, random.pick(nodes));
    await scene.pass(random.int(0, 1_500));
  }
  scene.database.server.heal();
  await scene.pass(60_000);
  return listeners.flatMap(({ events }, index) => [`listener ${index}`, ...events]);
}
