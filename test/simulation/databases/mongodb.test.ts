/** Behaviour of MongoDB alone in the simulated one: resumed and overrun cursors, retried writes. */
import { describe, expect, it } from "vitest";
import { MongodbServer } from "./mongodb/server.ts";
import { mongodb, mongodbStandalone } from "./mongodb.ts";
import { play, type Scene, type SceneNode } from "./scene.ts";

const HOUR = 3_600_000;
const cookie = { originalMaxAge: null };

function serverOf({ database: { server } }: Scene): MongodbServer {
  if (server instanceof MongodbServer) return server;
  throw new Error("Expected a server of MongoDB.");
}

/** So many sessions end. */
async function endMany(scene: Scene, { store }: SceneNode, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const key = scene.key(`session ${n}`);
    await scene.done(store.create(key, { cookie }, scene.later(HOUR)));
    await scene.done(store.destroy(key, "revoked"));
  }
}

describe.each([mongodb, mongodbStandalone])("the simulated $name", (kind) => {
  it("goes on where it was after a short cut, with nothing missed", async () => {
    await play(kind, 1, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const heard = await scene.listen(b);
      await scene.pass(500); // between two signs of life
      b.route.refuse(300);
      await endMany(scene, a, 3);
      await scene.pass(1_500);
      expect(heard.events).toEqual(["ended s0", "ended s1", "ended s2"]);
    });
  });

  it("says that changes may have been missed, where a process slept until they were overwritten", async () => {
    await play(kind, 2, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const heard = await scene.listen(b);
      b.process.pause();
      await endMany(scene, a, 400);
      b.process.resume();
      await scene.pass(5_000);
      expect(heard.events).toContain("missed");
      await endMany(scene, a, 1);
      await scene.pass(100);
      expect(heard.events.at(-1)).toBe("ended s0");
    });
  });

  it("removes what has expired", async () => {
    await play(kind, 3, async (scene) => {
      const { store } = scene.start("a");
      await scene.done(store.create(scene.key("short"), { cookie }, scene.later(5_000)));
      await scene.done(store.create(scene.key("long"), { cookie }, scene.later(HOUR)));
      await scene.pass(70_000);
      expect(serverOf(scene).count({})).toBe(1);
    });
  });
});

describe.each([
  { kind: mongodb, what: "is acknowledged, as the driver sends it again", status: "fulfilled" },
  { kind: mongodbStandalone, what: "fails, though it was made", status: "rejected" },
])("a write to $kind.name whose reply is lost", ({ kind, what, status }) => {
  it(what, async () => {
    const { trace } = await play(kind, 4, async (scene) => {
      const node = scene.start("a");
      const key = scene.key("one");
      const revision = await scene.done(node.store.create(key, { cookie }, scene.later(HOUR)));
      const replaced = node.store.replace(key, revision ?? "", { cookie, count: 1 }, "keep");
      const outcome = Promise.allSettled([replaced]);
      await scene.resetOnceStored(2, node);
      expect(await scene.done(outcome)).toMatchObject([{ status }]);
    });
    expect(trace.events.filter((event) => event.kind === "stored")).toHaveLength(2);
  });
});

describe("a crash of the simulated mongodb standalone", () => {
  it("loses no message that was acknowledged: a node that has not got it yet does", async () => {
    await play(mongodbStandalone, 5, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const key = scene.key("one");
      const heard = await scene.listen(b);
      await scene.done(a.store.create(key, { cookie }, scene.later(HOUR)));
      await scene.pass(1_500);
      b.route.silence(80);
      await scene.done(a.store.destroy(key, "destroyed"));
      scene.database.server.restart(500);
      await scene.pass(5_000);
      expect(heard.events).toEqual(["ended s0"]);
    });
  });
});
