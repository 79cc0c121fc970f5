/** The simulated PostgreSQL: as a database like any other, and in what is its own. */
import { describe, expect, it } from "vitest";
import { describeStore } from "../../stores/conformance.ts";
import { keyOf } from "../../stores/session-keys.ts";
import type { DatabaseServer } from "../database-server.ts";
import { simulatedHarness } from "./conformance-harness.ts";
import { postgres } from "./postgres.ts";
import { SimulatedPostgresPool } from "./postgres-driver.ts";
import { PostgresServer } from "./postgres-server.ts";
import { Setting } from "./setting.ts";

const traits = {
  ...{ atomic: true, feed: true, uniqueRevisions: false, exactExpiry: true, users: true },
  longestIdBytes: 2600,
  damage: "JSON",
} as const;

function rowsOf(server: DatabaseServer) {
  if (!(server instanceof PostgresServer)) throw new Error("Expected a server of PostgreSQL.");
  return server.sessions('"session"');
}

describeStore("postgresStore on a simulated server", traits, async () =>
  simulatedHarness(postgres, ({ server }, sid, sess) => {
    const rows = rowsOf(server);
    const row = rows.get(sid);
    if (row) rows.set(sid, { ...row, sess });
  }),
);

describe("the simulated PostgreSQL", () => {
  const key = keyOf("s");
  const cookie = { originalMaxAge: null };

  it("lets a pooler break LISTEN, which the store finds and reports with its cure", async () => {
    const { stores, routes, run, settled, later, listen } = new Setting(postgres, "pooler");
    const heard = await listen();
    routes[1].deafen(10_000);
    await settled(stores[0].create(key, { cookie }, later()));
    await settled(stores[0].destroy(key, "destroyed"));
    await run(9_000);
    expect(heard.changes).toEqual([]);
    expect(String(heard.errors[0])).toContain("listenConnectionString");
    expect(heard.missedCount).toBe(0);
    await run(10_000);
    expect(heard.missedCount).toBe(1);
  });

  it("publishes with the commit, though the writer loses its reply", async () => {
    const { stores, routes, world, run, settled, later, listen } = new Setting(postgres, "lost reply");
    const heard = await listen();
    const revision = await settled(stores[0].create(key, { cookie }, later()));
    const write = stores[0].replace(key, revision ?? "", { cookie, count: 1 }, later(), undefined, "w");
    const outcome = write.catch((error: unknown) => error);
    const isWritten = () => world.trace.events.filter(({ kind }) => kind === "stored").length === 2;
    while (!isWritten()) await run(1);
    routes[0].reset();
    expect(await settled(outcome)).toBeInstanceOf(Error);
    await run(20);
    expect(heard.changes).toMatchObject([{ kind: "changed", write: "w" }]);
  });

  it("forgets the last commits in a failover, and the feed says that it was cut", async () => {
    const { stores, database, world, run, settled, later, listen } = new Setting(postgres, "failover");
    const heard = await listen();
    await settled(stores[0].create(key, { cookie }, later()));
    await run(5_000);
    await settled(stores[0].destroy(key, "destroyed"));
    database.server.failOver(500, 1_000);
    await run(10_000);
    expect(await settled(stores[1].read(key))).not.toBeNull();
    expect(world.trace.events.map(({ kind }) => kind)).toContain("forgotten");
    expect(heard.missedCount).toBeGreaterThan(0);
  });

  it("makes the tables again that a failover has forgotten", async () => {
    const { stores, database, run, settled, later } = new Setting(postgres, "tables");
    await settled(stores[0].create(key, { cookie }, later()));
    database.server.failOver(500, 1_000);
    await run(1_000);
    await expect(settled(stores[0].read(key))).rejects.toMatchObject({ code: "STORE_OPEN" });
    expect(await settled(stores[0].create(key, { cookie }, later()))).not.toBeNull();
  });

  it("is rid of what is over when a process prunes", async () => {
    const { stores, database, run, settled, later } = new Setting(postgres, "pruning");
    await settled(stores[0].create(key, { cookie }, later(5_000), "ada"));
    await settled(stores[0].create(keyOf("other"), { cookie }, later()));
    expect(rowsOf(database.server).entries).toHaveLength(2);
    await run(120_000);
    expect(rowsOf(database.server).entries.map(([sid]) => sid)).toEqual(["other"]);
  });

  it("ends the run at a statement that it does not know", async () => {
    const { database, routes, run } = new Setting(postgres, "unknown");
    const { server } = database;
    if (!(server instanceof PostgresServer)) throw new Error("Expected a server of PostgreSQL.");
    void new SimulatedPostgresPool(server, routes[0]).query("SELECT 1");
    await expect(run(20)).rejects.toThrow("SELECT 1");
  });

  it("does the same again from the same seed", async () => {
    const hash = async () => {
      const { stores, routes, database, world, run, later, listen } = new Setting(postgres, "same");
      await listen();
      for (let n = 0; n < 20; n += 1) {
        const one = keyOf(`s${n}`);
        const create = stores[0].create(one, { cookie }, later(), "ada");
        const replaced = create.then((first) => stores[1].replace(one, first ?? "", { cookie, n }, later()));
        replaced.catch(() => {}); // as the faults want
        if (n % 5 === 0) routes[1].refuse(700);
        if (n % 7 === 0) database.server.failOver(100, 50);
        await run(300);
      }
      return { hash: world.trace.hash, steps: world.steps };
    };
    const first = await hash();
    expect(await hash()).toEqual(first);
    expect(first.steps).toBeGreaterThan(100);
  });
});
