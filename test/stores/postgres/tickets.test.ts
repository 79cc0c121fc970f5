/** The table of tickets: who creates it, and that sessions never need it. */
import { readFileSync } from "node:fs";
import type { Pool } from "pg";
import { expect, it, vi } from "vitest";
import { PostgresTicketSql } from "../../../src/stores/postgres/ticket-sql.ts";
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
  watched,
} from "./tables.ts";

const id = "a".repeat(43);
const key = keyOf("a session");
const later = () => Date.now() + 3_600_000;

async function tablesOf(pool: Pool, schemaName: string): Promise<string[]> {
  const query = "SELECT table_name FROM information_schema.tables WHERE table_schema = $1 ORDER BY 1";
  return (await pool.query(query, [schemaName])).rows.map((row) => String(row.table_name));
}

const statementOf = (error: Error) => error.message.slice(error.message.indexOf("\n"));

it("the page has the statement that creates the table of tickets", () => {
  const page = readFileSync(new URL("../../../docs/stores/postgres.md", import.meta.url), "utf8");
  const { createTable } = new PostgresTicketSql({ schemaName: undefined, tableName: "session" });
  expect(page).toContain(createTable);
});

describeWithPostgres("the table of tickets", () => {
  it("is created for the first ticket, in the sessions' schema, by many at the same time", async () => {
    const { schemaName, pool } = await testSchema();
    const stores = Array.from({ length: 8 }, () => testStore({ pool: testPool({ max: 1 }), schemaName }));
    await Promise.all(stores.map((store) => store.read(key)));
    expect(await tablesOf(pool, schemaName)).toEqual(["session"]);
    await Promise.all(stores.map((store, n) => store.putTicket?.(`${n}`, `of ${n}`, later())));
    expect(await tablesOf(pool, schemaName)).toEqual(["session", "session_socket_tickets"]);
    const taken = await Promise.all(stores.map((_, n) => stores[7 - n]?.takeTicket?.(`${n}`)));
    expect(taken).toEqual(stores.map((_, n) => `of ${n}`));
  });

  it("is not created by default: putTicket says how, and sessions go on", async () => {
    const { tableName, pool } = testTable();
    await testStore({ pool, tableName }).read(key);
    const store = testStore({ pool, tableName, createTableIfMissing: false });
    const error = await failureOf(() => store.putTicket?.(id, "{}", later()));
    expect(error).toMatchObject({
      code: "STORE_UNSUPPORTED",
      message: expect.stringMatching(
        /Set createTableIfMissing: true, or run:\nCREATE TABLE "session_\w+_tickets" /,
      ),
    });
    expect(await store.takeTicket?.(id)).toBeNull();
    expect(await store.create(key, { cookie: {} }, later())).not.toBeNull();
    await pool.query(statementOf(error));
    await store.putTicket?.(id, "{}", later());
    expect(await store.takeTicket?.(id)).toBe("{}");
  });

  it("that the role may not create is requested by putTicket, and sessions go on", async () => {
    const { schemaName, pool } = await testSchema();
    const restricted = await restrictedPool(pool, schemaName);
    await testStore({ pool, schemaName }).read(key);
    const store = testStore({ pool: restricted, schemaName });
    const error = await failureOf(() => store.putTicket?.(id, "{}", later()));
    expect(error).toMatchObject({
      code: "STORE_UNSUPPORTED",
      message: expect.stringMatching(
        /could not make it \(error 42501\)\. Run this as a role that may:\nCREATE/,
      ),
      cause: { code: "42501" },
    });
    expect(await store.takeTicket?.(id)).toBeNull();
    expect(await store.create(key, { cookie: {} }, later())).not.toBeNull();
    await pool.query(statementOf(error));
    await store.putTicket?.(id, "{}", later());
    expect(await store.takeTicket?.(id)).toBe("{}");
  });

  it("is created again after it was dropped", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    await store.putTicket?.(id, "{}", later());
    await drop(pool, tableName);
    await expect(store.takeTicket?.(id)).rejects.toMatchObject({ code: "STORE_OPEN" });
    expect(await store.takeTicket?.(id)).toBeNull();
    await store.putTicket?.(id, "{}", later());
    expect(await store.takeTicket?.(id)).toBe("{}");
  });

  it("has a name that fits, and is its own, where that of the sessions is long", async () => {
    const { schemaName, pool } = await testSchema();
    for (const tableName of ["a", "b"].map((end) => "t".repeat(62) + end)) {
      const store = testStore({ pool, schemaName, tableName, userIndex: false });
      await store.putTicket?.(id, tableName, later());
      expect(await store.create(key, { cookie: {} }, later())).not.toBeNull();
      expect(await store.takeTicket?.(id)).toBe(tableName);
    }
    expect(await tablesOf(pool, schemaName)).toHaveLength(4);
  });

  it("is pruned of expired tickets, in as many batches as it takes", async () => {
    const { tableName, pool } = testTable();
    const clock = new SetClock();
    const timers = new StoppedTimers(clock);
    const store = testStore({ pool, tableName, clock: timers });
    const put = (name: string, lifeMs: number) => store.putTicket?.(name, "{}", clock.now() + lifeMs);
    await Promise.all(Array.from({ length: 1100 }, (_, n) => put(`short ${n}`, 1000)));
    await put("long", 5000);
    const other = testStore({ pool, tableName, clock: timers }); // has not seen the table yet
    await store.close();
    clock.advance(1000);
    timers.fire();
    const ids = async () =>
      (await pool.query(`SELECT id FROM ${tableName}_socket_tickets`)).rows.map((row) => row.id);
    await vi.waitFor(async () => expect(await ids()).toEqual(["long"]), { timeout: 10_000, interval: 10 });
    expect(await other.takeTicket?.("long")).toBe("{}");
  });

  it("costs one round trip for each operation, once it has been seen", async () => {
    const { tableName, pool } = testTable();
    const { pool: counted, queries } = watched(pool);
    const store = testStore({ pool: counted, tableName });
    await store.putTicket?.("first", "{}", later());
    queries.length = 0;
    await store.putTicket?.(id, "{}", later());
    await store.takeTicket?.(id);
    await store.takeTicket?.(newName());
    expect(queries).toHaveLength(3);
  });
});

async function failureOf(run: () => Promise<unknown> | undefined): Promise<Error> {
  const [outcome] = await Promise.allSettled([run()]);
  if (outcome.status === "rejected" && outcome.reason instanceof Error) return outcome.reason;
  throw new Error(`Expected a rejection, but came ${JSON.stringify(outcome)}.`);
}
