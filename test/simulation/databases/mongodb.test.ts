/** The simulated MongoDB: as a database like any other, and in what is its own. */
import { describe, expect, it } from "vitest";
import { describeStore } from "../../stores/conformance.ts";
import { keyOf } from "../../stores/session-keys.ts";
import { simulatedHarness } from "./conformance-harness.ts";
import type { Database, DatabaseKind } from "./database.ts";
import { mongodb, mongodbStandalone } from "./mongodb.ts";
import { MongodbServer } from "./mongodb-server.ts";
import { Setting } from "./setting.ts";

const traits = {
  ...{ atomic: true, feed: true, uniqueRevisions: false, exactExpiry: true, users: true },
} as const;

for (const kind of [mongodb, mongodbStandalone]) {
  describeStore(`mongodbStore on a simulated server, ${kind.name}`, traits, async () =>
    simulatedHarness(kind, () => {}),
  );
}

function documentsOf({ server }: Database): number {
  if (!(server instanceof MongodbServer)) throw new Error("Expected a server of MongoDB.");
  return server.count({});
}

const key = keyOf("s");
const cookie = { originalMaxAge: null };

/** Ends of so many sessions are published. */
async function endMany({ stores, later, settled }: Setting, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await settled(stores[0].create(keyOf(`s${n}`), { cookie }, later()));
    await settled(stores[0].destroy(keyOf(`s${n}`), "revoked"));
  }
}

describe.each([mongodb, mongodbStandalone])("the simulated $name", (kind) => {
  it("goes on where it was after a short cut, with nothing missed", async () => {
    const setting = new Setting(kind, "short cut");
    const heard = await setting.listen();
    await setting.run(500); // between two signs of life
    setting.routes[1].refuse(300);
    await endMany(setting, 5);
    await setting.run(1_500);
    expect(heard.changes).toHaveLength(5);
    expect(heard.missedCount).toBe(0);
    expect(heard.errors).toEqual([]);
  });

  it("says that changes may have been missed, where a process slept until they were overwritten", async () => {
    const setting = new Setting(kind, "overrun");
    const heard = await setting.listen();
    const [, process] = setting.processes;
    process.pause();
    await endMany(setting, 400);
    process.resume();
    await setting.run(5_000);
    expect(heard.missedCount).toBeGreaterThan(0);
    heard.changes.splice(0);
    await endMany(setting, 3);
    await setting.run(100);
    expect(heard.changes).toHaveLength(3);
  });

  it("removes what has expired", async () => {
    const { stores, database, run, settled, later } = new Setting(kind, "removal");
    await settled(stores[0].create(key, { cookie }, later(5_000)));
    await settled(stores[0].create(keyOf("other"), { cookie }, later()));
    expect(documentsOf(database)).toBe(2);
    await run(70_000);
    expect(documentsOf(database)).toBe(1);
  });

  it("does the same again from the same seed", async () => {
    const hash = async () => {
      const { stores, routes, database, world, run, later, listen } = new Setting(kind, "same");
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

describe("a write whose reply is lost", () => {
  const replaced = async (kind: DatabaseKind) => {
    const { stores, routes, world, run, settled, later, listen } = new Setting(kind, "lost reply");
    const heard = await listen();
    const revision = await settled(stores[0].create(key, { cookie }, later()));
    const write = stores[0].replace(key, revision ?? "", { cookie, count: 1 }, later(), undefined, "w");
    const outcome = write.catch((error: unknown) => error);
    const stored = () => world.trace.events.filter(({ kind }) => kind === "stored").length;
    while (stored() < 2) await run(1);
    routes[0].reset();
    const result = await settled(outcome);
    await run(1_000);
    expect(stored()).toBe(2);
    return { result, heard };
  };

  it("is acknowledged on a replica set, where the driver sends it again", async () => {
    const { result, heard } = await replaced(mongodb);
    expect(result).toEqual(expect.any(String));
    expect(heard.changes).toMatchObject([{ kind: "changed", write: "w" }]);
  });

  it("fails on a standalone server, and publishes nothing", async () => {
    const { result, heard } = await replaced(mongodbStandalone);
    expect(result).toBeInstanceOf(Error);
    expect(heard.changes).toEqual([]);
  });
});

describe("a power cut of a standalone server", () => {
  it("loses no message that it has acknowledged: those who had not got it yet get it", async () => {
    const { stores, routes, database, run, settled, later, listen } = new Setting(mongodbStandalone, "power");
    const heard = await listen();
    await settled(stores[0].create(key, { cookie }, later()));
    await run(1_000);
    routes[1].silence(80);
    await settled(stores[0].destroy(key, "destroyed"));
    database.server.restart(500);
    await run(5_000);
    expect(heard.changes).toMatchObject([{ kind: "ended", reason: "destroyed" }]);
  });
});
