import connectPgSimple from "connect-pg-simple";
import session from "express-session";
import { Pool } from "pg";
import { expect, it, vi } from "vitest";
import { openFeed } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock, StoppedTimers } from "../set-clock.ts";
import {
  describeWithPostgres,
  drop,
  newName,
  restrictedPool,
  testPool,
  testSchema,
  testStore,
  testTable,
} from "./tables.ts";

const key = keyOf("a session");
const later = () => Date.now() + 3_600_000;

async function columns(pool: Pool, tableName: string, schemaName = "public"): Promise<unknown[]> {
  const { rows } = await pool.query(
    `SELECT column_name, data_type, datetime_precision, is_nullable, collation_name
      FROM information_schema.columns WHERE table_name = $1 AND table_schema = $2 ORDER BY ordinal_position`,
    [tableName, schemaName],
  );
  return rows;
}

async function indexes(pool: Pool, tableName: string, schemaName: string): Promise<string[]> {
  const query = "SELECT indexdef FROM pg_indexes WHERE tablename = $1 AND schemaname = $2 ORDER BY 1";
  const { rows } = await pool.query(query, [tableName, schemaName]);
  return rows.map(({ indexdef }) => String(indexdef).replaceAll(schemaName, "schema"));
}

describeWithPostgres("the tables of postgresStore", () => {
  it("are created once, as connect-pg-simple creates them, by many at the same time", async () => {
    const ours = await testSchema();
    const theirs = await testSchema();
    const stores = Array.from({ length: 8 }, () =>
      testStore({ pool: testPool({ max: 1 }), schemaName: ours.schemaName }),
    );
    await Promise.all(stores.map((store, n) => store.create(keyOf(`${n}`), { cookie: {} }, later(), "ada")));
    expect(await stores[0]?.listByUser?.("ada")).toHaveLength(8);

    const PgStore = connectPgSimple(session);
    const peer = new PgStore({
      pool: theirs.pool,
      schemaName: theirs.schemaName,
      createTableIfMissing: true,
    });
    await new Promise((resolve) => peer.get("none", resolve));
    await peer.close();
    expect(await indexes(ours.pool, "session", ours.schemaName)).toEqual(
      await indexes(theirs.pool, "session", theirs.schemaName),
    );
    expect(await columns(ours.pool, "session", ours.schemaName)).toEqual(
      await columns(theirs.pool, "session", theirs.schemaName),
    );
  });

  it("are not created by default, and the error says how", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName, createTableIfMissing: false });
    const missing = {
      code: "STORE_OPEN",
      message: expect.stringMatching(/createTableIfMissing.*CREATE TABLE/s),
    };
    await expect(store.read(key)).rejects.toMatchObject(missing);
    await expect(openFeed(store)).rejects.toMatchObject(missing);
    const error = await store.create(key, { cookie: {} }, later()).catch((thrown: Error) => thrown);
    await pool.query(String(Object(error).message).replace(/^.*?\n/s, ""));
    expect(await store.create(key, { cookie: {} }, later())).not.toBeNull();
  });

  it("are created again after they were dropped", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    await store.create(key, { cookie: {} }, later(), "ada");
    await drop(pool, tableName);
    await expect(store.read(key)).rejects.toMatchObject({ code: "STORE_OPEN" });
    expect(await store.read(key)).toBeNull();
    expect(await store.create(key, { cookie: {} }, later(), "ada")).not.toBeNull();
    expect(await store.listByUser?.("ada")).toHaveLength(1);
  });

  it("include that of users only once there is a user", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    const other = testStore({ pool: testPool(), tableName });
    await store.create(key, { cookie: {} }, later());
    await store.touch(key, later(), {});
    expect(await store.listByUser?.("ada")).toEqual([]);
    await store.destroy(key, "destroyed");
    expect(await columns(pool, `${tableName}_users`)).toEqual([]);
    await other.create(key, { cookie: {} }, later(), "ada");
    expect(await store.listByUser?.("ada")).toHaveLength(1);
    expect(await columns(pool, `${tableName}_users`)).toHaveLength(4);
  });

  it("of users is requested by name if the role may not create it, or is not used", async () => {
    const { schemaName, pool } = await testSchema();
    const restricted = await restrictedPool(pool, schemaName);
    await testStore({ pool, schemaName }).read(key);
    const store = testStore({ pool: restricted, schemaName });
    expect(await store.create(keyOf("nobody's"), { cookie: {} }, later())).not.toBeNull();
    const error = await store.create(key, { cookie: {} }, later(), "ada").catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: "STORE_OPEN",
      message: expect.stringMatching(/userIndex: false.*\nCREATE TABLE .*session_users/s),
      cause: { code: "42501" },
    });
    expect(await store.read(key)).toBeNull();
    const without = testStore({ pool: restricted, schemaName, userIndex: false });
    expect(await without.create(key, { cookie: {} }, later(), "ada")).not.toBeNull();
    expect(without.listByUser).toBeUndefined();

    await pool.query(String(Object(error).message).replace(/^.*?\n/s, ""));
    expect(await store.create(keyOf("hers"), { cookie: {} }, later(), "ada")).not.toBeNull();
    expect(await store.listByUser?.("ada")).toHaveLength(1);
    await expect(
      testStore({ pool: restricted, schemaName, tableName: "other" }).read(key),
    ).rejects.toMatchObject({
      code: "STORE_OPEN",
      message: expect.stringContaining("CREATE TABLE"),
    });
  });

  it("are pruned of expired rows, in as many batches as it takes", async () => {
    const { tableName, pool } = testTable();
    const clock = new SetClock();
    const timers = new StoppedTimers(clock);
    const store = testStore({ pool, tableName, clock: timers });
    const create = (sid: string, lifeMs: number) =>
      store.create(keyOf(sid), { cookie: {} }, clock.now() + lifeMs, "ada");
    await Promise.all(Array.from({ length: 1100 }, (_, n) => create(`short ${n}`, 1000)));
    await Promise.all([create("long", 5000), create("extended by the other package", 1000)]);
    const kept = ["extended by the other package", "long"];
    await pool.query(`UPDATE ${tableName} SET expire = to_timestamp($1::float8 / 1000) WHERE sid = $2`, [
      clock.now() + 5000,
      kept[0],
    ]);
    await create("destroyed by the other package", 1000);
    await pool.query(`DELETE FROM ${tableName} WHERE sid LIKE 'destroyed%'`);
    const held = await testPool().connect();
    await held.query("BEGIN");
    await held.query(`SELECT FROM ${tableName} WHERE sid = 'short 0' FOR UPDATE`);
    clock.advance(1000);
    timers.fire();
    const ids = async (table: string) => {
      const { rows } = await pool.query(`SELECT sid FROM ${table} ORDER BY sid`);
      return rows.map(({ sid }) => sid);
    };
    const patience = { timeout: 10_000, interval: 10 };
    await vi.waitFor(() => expect(timers.pendingCount, "the next round is due").toBe(1), patience);
    expect(await ids(`${tableName}_users`)).toEqual(kept);
    expect(await ids(tableName), "what somebody holds is left for the next").toEqual([...kept, "short 0"]);
    await held.query("COMMIT");
    held.release();
    timers.fire();
    await vi.waitFor(async () => expect(await ids(tableName)).toEqual(kept), patience);
    await vi.waitFor(() => expect(timers.pendingCount).toBe(1), patience);
    await store.close();
    expect(timers.pendingCount).toBe(0);
  });

  it("are pruned again after a round that failed, which is reported", async () => {
    const timers = new StoppedTimers(new SetClock());
    const told = vi.fn();
    const { tableName, pool } = testTable();
    testStore({ pool, tableName, createTableIfMissing: false, clock: timers, errorLog: told });
    timers.fire();
    await vi.waitFor(() => expect(timers.pendingCount).toBe(1), { timeout: 5000 });
    expect(told).toHaveBeenCalledWith(expect.any(String), expect.objectContaining({ code: "STORE_OPEN" }));
  });

  it("are pruned again though errorLog throws or rejects, or the next interval can't be computed", async () => {
    const timers = new StoppedTimers(new SetClock());
    const { tableName, pool } = testTable();
    const told = vi.fn((): unknown => {
      if (told.mock.calls.length % 2) throw new Error("errorLog throws");
      return Promise.reject(new Error("errorLog rejects"));
    });
    const intervals = [1, "throws", Number.NaN, 1] as const;
    const next = vi.fn((_interval: number): number => {
      const interval = intervals[next.mock.calls.length - 1] ?? 1;
      if (interval === "throws") throw new Error("no interval");
      return interval;
    });
    testStore({
      ...{ pool, tableName, createTableIfMissing: false, clock: timers, errorLog: told },
      pruneSessionRandomizedInterval: next,
    });
    for (let round = 1; round <= 3; round += 1) {
      timers.fire();
      await vi.waitFor(() => expect(next).toHaveBeenCalledTimes(round + 1), { timeout: 5000 });
      await vi.waitFor(() => expect(timers.pendingCount).toBe(1), { timeout: 5000 });
    }
    const messages = told.mock.calls.map((call: unknown[]) => String(call[1]));
    expect(messages).toHaveLength(5);
    expect(messages[1]).toContain("no interval");
    expect(messages[3]).toMatch(/pruneSessionRandomizedInterval.*NaN/);
  });

  it("have an index each, however long their names are", async () => {
    const { schemaName, pool } = await testSchema();
    for (const tableName of ["1", "2"].map((last) => "t".repeat(61) + last)) {
      const store = testStore({ pool, schemaName, tableName, userIndex: false });
      expect(await store.create(key, { cookie: {} }, later())).not.toBeNull();
      const made = await indexes(pool, tableName, schemaName);
      expect(made.filter((index) => index.includes("(expire)"))).toHaveLength(1);
    }
    const longest = "t".repeat(63 - "IDX__expire".length);
    await testStore({ pool, schemaName, tableName: longest }).read(key);
    expect(String(await indexes(pool, longest, schemaName))).toContain(`"IDX_${longest}_expire"`);
  });

  const anotherShape = (had: string) => ({
    code: "STORE_OPEN",
    message: expect.stringMatching(
      new RegExp(
        `^postgresStore\\(\\) expects the table "\\w+" to have the columns sid .*, sess json and expire timestamp.*; it has ${had}.* give \`tableName\` another name`,
      ),
    ),
  });

  it.each([
    ["none of its columns", "id integer, data text", "id integer, data text\\."],
    ["no sess", "sid varchar PRIMARY KEY, expire timestamp", "sid character varying, expire timestamp"],
    [
      "its time in a number",
      "sid varchar PRIMARY KEY, sess json, expire bigint",
      "sid character varying, sess json, expire bigint\\.",
    ],
    [
      "its time without the hour",
      "sid varchar PRIMARY KEY, sess json, expire date",
      "sid .*, expire date\\.",
    ],
    [
      "no key",
      "sid varchar, sess json, expire timestamp",
      "sid .*, expire timestamp without time zone, and another key",
    ],
    [
      "another column that must be set",
      "sid varchar PRIMARY KEY, sess json, expire timestamp, tenant text NOT NULL",
      "sid .*, tenant text, and another key, or others that have to be set",
    ],
  ])("of another application, with %s, are named by their columns", async (_which, columns, had) => {
    const { tableName, pool } = testTable();
    await pool.query(`CREATE TABLE ${tableName} (${columns})`);
    const store = testStore({ pool, tableName });
    const outcomes = await Promise.allSettled([
      store.read(key),
      store.create(key, { cookie: {} }, later()),
      openFeed(store),
    ]);
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused).not.toEqual([]);
    for (const outcome of refused) expect(outcome).toMatchObject({ reason: anotherShape(had) });
  });

  it("of users, of another application, are named by their columns", async () => {
    const { tableName, pool } = testTable();
    await pool.query(`CREATE TABLE ${tableName}_users (id integer PRIMARY KEY, mail text)`);
    const store = testStore({ pool, tableName });
    await expect(store.create(key, { cookie: {} }, later(), "ada")).rejects.toMatchObject({
      code: "STORE_OPEN",
      message: expect.stringMatching(
        /^postgresStore\(\) expects the table "\w+_users" to have the columns user_id .*; it has id integer, mail text\..*`usersTableName` another name, or `userIndex: false`/,
      ),
    });
  });

  it("that can't be created name the obstacle, and nothing else does", async () => {
    const { schemaName, pool } = await testSchema();
    const restricted = await restrictedPool(pool, schemaName);
    const own = { ...{ pool: restricted, schemaName }, tableName: "other" };
    await expect(testStore(own).read(key)).rejects.toMatchObject({
      message: expect.stringMatching(
        /found no table .*, and could not make it \(error 42501\)\. Run this as a role that may:\nCREATE TABLE/,
      ),
    });
    const nowhere = { pool, schemaName: newName("schema") };
    await expect(testStore(nowhere).read(key)).rejects.toMatchObject({
      message: expect.stringMatching(
        /\(error 3F000\)\. Correct `schemaName`, or make the schema and run this:\nCREATE/,
      ),
    });
    const down = new Pool({ host: "127.0.0.1", port: 1 });
    await expect(testStore({ pool: down }).read(key)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
