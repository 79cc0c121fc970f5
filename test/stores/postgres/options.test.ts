import { Pool } from "pg";
import { expect, it } from "vitest";
import { type PostgresStoreOptions, postgresStore } from "../../../src/stores/postgres/store.ts";

it("checks the options of postgresStore, and names the cure", () => {
  const pool = new Pool();
  const from = (options: object) => () => postgresStore({ pool, ...options } as PostgresStoreOptions);
  const refused: [object, RegExp][] = [
    [{ pool: undefined }, /`pool`.*new Pool/],
    [{ pool: { query: () => {} } }, /`pool`/],
    [{ conString: "postgres://" }, /conString.*Pool/],
    [{ pgPromise: {} }, /pgPromise.*\$pool/],
    [{ disableTouch: true }, /disableTouch.*maxAge/],
    [{ tableName: 'a"."b' }, /schemaName/],
    [{ tableName: "x".repeat(64) }, /63 bytes/],
    [{ tableName: "a\0b" }, /`tableName`/],
    [{ tableName: "x".repeat(60) }, /usersTableName/],
    [{ usersTableName: "session" }, /another table than `tableName`; it was the same/],
    [{ ttl: "1d" }, /seconds/],
    [{ ttl: 0 }, /seconds/],
    [{ pruneSessionInterval: -1 }, /seconds/],
    [{ listenConnectionString: 5432 }, /connection string/],
    [
      { pruneSessionRandomizedInterval: true },
      /`pruneSessionRandomizedInterval` of postgresStore\(\) expects a function or false/,
    ],
    [
      { pruneSessionRandomizedInterval: () => Number.NaN },
      /`pruneSessionRandomizedInterval` of postgresStore\(\) expects a function that returns/,
    ],
    [
      { pruneSessionRandomizedInterval: () => 0 },
      /`pruneSessionRandomizedInterval` of postgresStore\(\) expects a function that returns/,
    ],
    [
      { pruneSessionRandomizedInterval: () => {} },
      /`pruneSessionRandomizedInterval` of postgresStore\(\) expects a function that returns/,
    ],
    [{ errorLog: "console" }, /`errorLog` of postgresStore\(\) expects a function/],
    [{ createTableIfMissing: "no" }, /`createTableIfMissing` of postgresStore\(\) expects true or false/],
    [{ otherWriters: 1 }, /`otherWriters` of postgresStore\(\) expects true or false/],
    [{ userIndex: null }, /`userIndex` of postgresStore\(\) expects true or false/],
    [{ clock: {} }, /`clock` of postgresStore\(\) expects/],
    [{ clock: 5 }, /`clock` of postgresStore\(\) expects/],
  ];
  for (const [options, message] of refused) {
    expect(from(options), JSON.stringify(options)).toThrow(message);
    expect(from(options)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  }
  expect(pool.listenerCount("error"), "what was refused leaves nothing").toBe(0);
  for (const options of [undefined, null]) {
    const open = () => postgresStore(options as unknown as PostgresStoreOptions);
    expect(open).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  }
  for (const options of [{}, { disableTouch: false }, { tableName: "x".repeat(60), userIndex: false }]) {
    void from(options)().close();
  }
});

it("waits for half to one and a half of the interval between prunings, or as configured", async () => {
  const delays: number[] = [];
  const clock = {
    now: () => 0,
    after: (delayMs: number) => {
      delays.push(delayMs);
      return () => {};
    },
  };
  const open = (options: object) => postgresStore({ pool: new Pool(), clock, ...options });
  for (let i = 0; i < 100; i += 1) open({});
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(450_000);
  expect(Math.max(...delays)).toBeLessThanOrEqual(1_350_000);
  expect(new Set(delays).size).toBeGreaterThan(50);
  delays.length = 0;
  open({ pruneSessionInterval: 60, pruneSessionRandomizedInterval: false });
  open({ pruneSessionInterval: 60, pruneSessionRandomizedInterval: (delayMs: number) => delayMs / 2 });
  open({ pruneSessionInterval: false });
  open({ pruneSessionInterval: 10_000_000, pruneSessionRandomizedInterval: false });
  expect(delays).toEqual([60_000, 30_000, 2 ** 31 - 1]);
  expect(open({ ttl: 60 }).ttlMs).toBe(60_000);
  expect(open({}).ttlMs).toBe(86_400_000);
});
