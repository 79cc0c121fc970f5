/** Behaviour of PostgreSQL alone in the simulated one. */
import { describe, expect, it } from "vitest";
import { SimulatedPostgresPool } from "./postgres/driver.ts";
import { PostgresServer } from "./postgres/server.ts";
import { postgres } from "./postgres.ts";
import { play, type Scene } from "./scene.ts";

const HOUR = 3_600_000;
const cookie = { originalMaxAge: null };

function serverOf({ database: { server } }: Scene): PostgresServer {
  if (server instanceof PostgresServer) return server;
  throw new Error("Expected a server of PostgreSQL.");
}

describe("the simulated PostgreSQL", () => {
  it("lets a pooler break LISTEN, which the store finds, until the pooler is gone", async () => {
    await play(postgres, 1, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const key = scene.key("one");
      const heard = await scene.listen(b);
      b.route.deafen(10_000);
      await scene.done(a.store.create(key, { cookie }, scene.later(HOUR)));
      await scene.done(a.store.destroy(key, "destroyed"));
      await scene.pass(9_000);
      expect(heard.events).toEqual(["broken"]);
      await scene.pass(10_000);
      expect(heard.events).toEqual(["broken", "missed"]);
    });
  });

  it("publishes with the commit, though the writer loses its reply", async () => {
    await play(postgres, 2, async (scene) => {
      const [a, b] = [scene.start("a"), scene.start("b")];
      const key = scene.key("one");
      const heard = await scene.listen(b);
      const revision = await scene.done(a.store.create(key, { cookie }, scene.later(HOUR)));
      const replaced = Promise.allSettled([
        a.store.replace(key, revision ?? "", { cookie, count: 1 }, "keep"),
      ]);
      await scene.resetOnceStored(2, a);
      expect(await scene.done(replaced)).toMatchObject([{ status: "rejected" }]);
      await scene.pass(20);
      expect(heard.events).toEqual(["changed s0"]);
    });
  });

  it("makes the tables again that a failover has forgotten", async () => {
    await play(postgres, 3, async (scene) => {
      const { store } = scene.start("a");
      const key = scene.key("one");
      await scene.done(store.create(key, { cookie }, scene.later(HOUR)));
      serverOf(scene).failOver(500, 1_000);
      await scene.pass(1_000);
      await expect(scene.done(store.read(key))).rejects.toMatchObject({ code: "STORE_OPEN" });
      expect(await scene.done(store.create(key, { cookie }, scene.later(HOUR)))).not.toBeNull();
    });
  });

  it("is rid of what is over when a process prunes", async () => {
    await play(postgres, 4, async (scene) => {
      const { store } = scene.start("a");
      await scene.done(store.create(scene.key("short"), { cookie }, scene.later(5_000), "ada"));
      await scene.done(store.create(scene.key("long"), { cookie }, scene.later(HOUR), "ada"));
      await scene.pass(120_000);
      const { entries } = serverOf(scene).sessions('"session"');
      expect(entries.map(([sid]) => sid)).toEqual(["long"]);
      expect(serverOf(scene).users('"session_users"').entries).toHaveLength(1);
    });
  });

  it("ends the run at a statement that it does not know", async () => {
    await play(postgres, 5, async (scene) => {
      void new SimulatedPostgresPool(serverOf(scene), scene.start("a").route).query("SELECT 1");
      await expect(scene.pass(20)).rejects.toThrow("SELECT 1");
    });
  });
});
