import { expect, it } from "vitest";
import { keyOf } from "../session-keys.ts";
import { SetClock } from "../set-clock.ts";
import {
  describeWithPostgres,
  newName,
  testPool,
  testStore,
  testTable,
  waitingForLock,
  watched,
} from "./tables.ts";

const key = keyOf("a session");
const later = () => Date.now() + 3_600_000;

describeWithPostgres("postgresStore", () => {
  it("takes one round trip for each operation", async () => {
    const { tableName, pool } = testTable();
    const { pool: counted, queries } = watched(pool);
    const store = testStore({ pool: counted, tableName });
    await store.create(key, { cookie: {} }, later(), "ada"); // makes the tables
    const roundTrips = async (operation: () => Promise<unknown>) => {
      queries.length = 0;
      await operation();
      return queries.length;
    };
    const other = keyOf("another");
    expect(await roundTrips(() => store.create(other, { cookie: {} }, later(), "ada"))).toBe(1);
    const { revision } = (await store.read(key)) ?? { revision: "" };
    const replace = () => store.replace(key, revision, { cookie: {}, n: 1 }, later(), "ada");
    expect(await roundTrips(replace)).toBe(1);
    expect(await roundTrips(replace)).toBe(1);
    expect(await roundTrips(() => store.read(key))).toBe(1);
    expect(await roundTrips(async () => store.readMany?.([key, other, keyOf("never")]))).toBe(1);
    expect(await roundTrips(() => store.touch(key, later(), {}, "ada"))).toBe(1);
    expect(await roundTrips(async () => store.listByUser?.("ada"))).toBe(1);
    expect(await roundTrips(() => store.destroy(key, "destroyed"))).toBe(1);
    expect(await store.listByUser?.("ada")).toHaveLength(1);
  });

  it("decides on the row as it is once another writer has let go of it", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    const revision = (await store.create(key, { cookie: {}, n: 0 }, later(), "ada")) ?? "";
    const writer = await testPool().connect();
    await writer.query("BEGIN");
    await writer.query(`UPDATE ${tableName} SET sess = '{"cookie":{},"n":1}'`);
    const replaced = store.replace(key, revision, { cookie: {}, n: 2 }, later(), "eve");
    await waitingForLock(pool, tableName);
    await writer.query("COMMIT");
    expect(await replaced).toBeNull();
    expect((await store.read(key))?.document.n).toBe(1);
    expect(await store.listByUser?.("eve")).toEqual([]);

    await writer.query("BEGIN");
    await writer.query(`DELETE FROM ${tableName}`);
    const touched = store.touch(key, later(), {});
    const destroyed = store.destroy(key, "destroyed");
    await waitingForLock(pool, tableName, 2);
    await writer.query("COMMIT");
    expect(await touched).toBe(false);
    expect(await destroyed).toBe(false);
    writer.release();
  });

  it("writes the entry of a user in the transaction of the session, or neither", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    await store.create(key, { cookie: {} }, later(), "ada");
    await pool.query(`ALTER TABLE ${tableName}_users ADD CHECK (user_id <> 'eve')`);
    await expect(store.create(keyOf("hers"), { cookie: {} }, later(), "eve")).rejects.toThrow(/check/);
    expect(await store.read(keyOf("hers"))).toBeNull();
    const { revision } = (await store.read(key)) ?? { revision: "" };
    await expect(store.replace(key, revision, { cookie: {}, n: 1 }, later(), "eve")).rejects.toThrow(/check/);
    expect((await store.read(key))?.revision).toBe(revision);
  });

  it.each(["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])(
    "keeps times to the millisecond where connections are in %s",
    async (zone) => {
      const { tableName } = testTable();
      const clock = new SetClock();
      const store = testStore({ pool: testPool({ options: `-c TimeZone=${zone}` }), tableName, clock });
      for (let month = 0; month < 12; month += 1) {
        const expiresAt = clock.now() + 12_345_678 + month * 30 * 86_400_000 + (month % 1000);
        await store.create(keyOf(`${month}`), { cookie: {} }, expiresAt, "ada");
        expect((await store.read(keyOf(`${month}`)))?.expiresAt).toBe(expiresAt);
        await store.touch(keyOf(`${month}`), expiresAt + 1, {});
        expect((await store.read(keyOf(`${month}`)))?.expiresAt).toBe(expiresAt + 1);
      }
      expect((await store.listByUser?.("ada"))?.[0]?.since).toBe(clock.now());
      clock.advance(12_345_678);
      expect(await store.read(keyOf("0"))).not.toBeNull();
      clock.advance(1);
      expect(await store.read(keyOf("0"))).toBeNull();
    },
  );

  it("ends a session of the hour that clocks are put back by at most an hour late, never early", async () => {
    const { tableName } = testTable();
    const clock = new SetClock();
    const store = testStore({ pool: testPool({ options: "-c TimeZone=Europe/Berlin" }), tableName, clock });
    const putBack = Date.UTC(2027, 9, 31, 1);
    for (const [n, expiresAt] of [putBack - 1_800_000, putBack + 1_800_000].entries()) {
      await store.create(keyOf(`${n}`), { cookie: {} }, expiresAt);
      const late = ((await store.read(keyOf(`${n}`)))?.expiresAt ?? 0) - expiresAt;
      expect([0, 3_600_000]).toContain(late);
    }
  });

  it.each([249, 499])("keeps ids and users apart that are %i characters of four bytes", async (length) => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    // Of little that a database could compress.
    const codePoint = (seed: number, n: number) => 0x20000 + ((seed + n * n * 7919) % 40_000);
    const long = (seed: number) =>
      Array.from({ length }, (_, n) => String.fromCodePoint(codePoint(seed, n))).join("");
    for (const sid of [long(1), long(2)]) {
      await store.create(keyOf(sid), { cookie: {}, sid }, later(), long(3));
      expect((await store.read(keyOf(sid)))?.document.sid).toBe(sid);
    }
    expect(await store.listByUser?.(long(3))).toHaveLength(2);
    expect(await store.listByUser?.(long(4))).toEqual([]);
  });

  it("keeps sessions in a jsonb column, and refuses what that can't hold", async () => {
    const tableName = newName();
    const pool = testPool();
    await pool.query(
      `CREATE TABLE ${tableName} (sid varchar PRIMARY KEY, sess jsonb NOT NULL, expire timestamptz NOT NULL)`,
    );
    const store = testStore({ pool, tableName });
    const expiresAt = later();
    const document = { cookie: { path: "/" }, b: 1, a: [1.5, "é", null], "": { z: 1, y: 2 } };
    const first = await store.create(key, document, expiresAt);
    expect(await store.read(key)).toEqual({ document, expiresAt, revision: first });
    const second = await store.replace(key, first ?? "", { cookie: {}, n: 1 }, "keep");
    expect(await store.replace(key, first ?? "", { cookie: {}, n: 2 }, "keep")).toBeNull();
    expect(await store.read(key)).toEqual({ document: { cookie: {}, n: 1 }, expiresAt, revision: second });
    await expect(store.replace(key, second ?? "", { cookie: {}, n: "\0" }, "keep")).rejects.toThrow(
      /unicode/i,
    );
    expect((await store.read(key))?.revision).toBe(second);
    await pool.query(`DROP TABLE ${tableName}`);
  });
});
