/** Tables for tests: each test has its own in the database of POSTGRES_URL, dropped after it. */
import { randomUUID } from "node:crypto";
import { Client, Pool, type PoolConfig } from "pg";
import { expect, onTestFinished, vi } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import {
  type PostgresPool,
  type PostgresStoreOptions,
  postgresStore,
} from "../../../src/stores/postgres/store.ts";
import { withService } from "../../setup/services.ts";
import type { StoreHarness } from "../conformance.ts";
import { SetClock } from "../set-clock.ts";
import { openStalledLink } from "../stalled-link.ts";

const postgres = withService("postgres");

/** A `describe` whose tests are skipped where there is no PostgreSQL. */
export const describeWithPostgres = postgres.describe;

export type TableOptions = Omit<PostgresStoreOptions, "pool" | "clock">;

/** A name that no other test has. */
export function newName(prefix = "session"): string {
  return `${prefix}_${randomUUID().replaceAll("-", "")}`;
}

/** A pool that is ended by the returned function, which waits until the database has let go of its clients. */
export function openPool(config: PoolConfig = {}): { pool: Pool; end: () => Promise<void> } {
  const pool = new Pool({ connectionString: postgres.url, ...config });
  pool.on("error", () => {}); // tests cut connections
  return { pool, end: () => pool.end() };
}

/** A pool that is ended after the test. */
export function testPool(config: PoolConfig = {}): Pool {
  const { pool, end } = openPool(config);
  onTestFinished(end);
  return pool;
}

/** A store that is closed after the test. */
export function testStore(options: PostgresStoreOptions): SessionStore {
  const store = postgresStore({ createTableIfMissing: true, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** A table that is dropped after the test, and a pool to look at it. */
export function testTable(): { tableName: string; pool: Pool } {
  const tableName = newName();
  const { pool, end } = openPool();
  onTestFinished(async () => {
    await drop(pool, tableName);
    await end();
  });
  return { tableName, pool };
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

export async function drop(pool: Pool, tableName: string, schemaName?: string): Promise<void> {
  const schema = schemaName === undefined ? "" : `${quoted(schemaName)}.`;
  const names = [tableName, `${tableName}_users`, `${tableName}_socket_tickets`];
  await pool.query(`DROP TABLE IF EXISTS ${names.map((name) => schema + quoted(name)).join()}`);
}

/** A schema that goes away with all that is in it. */
export async function testSchema(): Promise<{ schemaName: string; pool: Pool }> {
  const schemaName = newName("schema");
  const pool = new Pool({ connectionString: postgresUrl() });
  await pool.query(`CREATE SCHEMA ${schemaName}`);
  onTestFinished(async () => {
    await pool.query(`DROP SCHEMA ${schemaName} CASCADE`);
    await pool.end();
  });
  return { schemaName, pool };
}

/** A pool of a role that may do to the schema's tables what a session store does, and make none. */
export async function restrictedPool(admin: Pool, schemaName: string): Promise<Pool> {
  const role = newName("role");
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'of the role';
    GRANT USAGE ON SCHEMA ${schemaName} TO ${role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${schemaName} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${role}`);
  onTestFinished(async () => {
    await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });
  const url = new URL(postgresUrl());
  url.username = role;
  url.password = "of the role";
  return testPool({ connectionString: url.href });
}

/** A table for the conformance suite; every connection is a store with a pool of its own. */
export async function startPostgres(
  options: TableOptions = {},
  config: PoolConfig = {},
): Promise<StoreHarness> {
  const clock = new SetClock();
  const { tableName = newName(), schemaName } = options;
  const opened: { store: SessionStore; end: () => Promise<void> }[] = [];
  const link = await openStalledLink(postgres.url);
  return {
    open() {
      const { pool, end } = openPool({ connectionString: link.url, ...config });
      const store = postgresStore({ createTableIfMissing: true, ...options, tableName, pool, clock });
      opened.push({ store, end });
      return store;
    },
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    async damage(sid, text) {
      const { pool, end } = openPool();
      const table = [schemaName, tableName].flatMap((name) => (name === undefined ? [] : [quoted(name)]));
      await pool.query(`UPDATE ${table.join(".")} SET sess = $1 WHERE sid = $2`, [text, sid]);
      await end();
    },
    async end() {
      await Promise.all(opened.map(({ store }) => store.close()));
      const { pool, end } = openPool();
      await Promise.all(opened.map((one) => one.end()));
      await drop(pool, tableName, schemaName);
      await end();
      link.close();
    },
    stall: link.stall,
  };
}

export const postgresUrl = (): string => postgres.url;

/** The pool as a store sees it, with every query that passes it. */
export function watched(pool: Pool): { pool: PostgresPool; queries: string[] } {
  const queries: string[] = [];
  const query = (text: string, values?: unknown[]) => {
    queries.push(text);
    return pool.query(text, values);
  };
  return { pool: { query, options: pool.options, ...{ Client } }, queries };
}

/** Resolves once `count` statements on the table wait for a lock. */
export async function waitingForLock(pool: Pool, tableName: string, count = 1): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1",
        [`%${tableName}%`],
      );
      expect(rows).toHaveLength(count);
    },
    { timeout: 10_000, interval: 5 },
  );
}
