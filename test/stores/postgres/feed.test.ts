import { Client, Pool } from "pg";
import { expect, it, onTestFinished, vi } from "vitest";
import type { SessionKey, SessionStore } from "../../../src/session-store.ts";
import { postgresStore } from "../../../src/stores/postgres/store.ts";
import { everythingTold, Heard, isOf, openFeed } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { startProxy } from "./proxy.ts";
import {
  describeWithPostgres,
  newName,
  postgresUrl,
  testPool,
  testStore,
  testTable,
  watched,
} from "./tables.ts";

const key = keyOf("a session");
const later = () => Date.now() + 3_600_000;
/** Soon enough to be waited for. */
const heartbeatMs = 250;
/** So long that no busy machine takes a feed for silent. */
const patient = { heartbeatMs: 10_000 };
const waiting = { timeout: 10_000, interval: 5 };

async function listen(store: SessionStore, options = patient): Promise<Heard> {
  const heard = new Heard();
  if (!store.changes) throw new Error("Expected a store with a feed.");
  await store.changes(heard, options);
  return heard;
}

/** The process ids of the connections that listen to the channel of the table. */
async function listeners(pool: Pool, tableName: string): Promise<number[]> {
  const { rows } = await pool.query(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'socket-session'
      AND query = 'LISTEN socket_session_' || to_regclass($1)::oid`,
    [tableName],
  );
  return rows.map(({ pid }) => pid);
}

async function mended(heard: Heard, times = 1): Promise<void> {
  await vi.waitFor(() => expect(heard.missedCount).toBe(times), waiting);
}

describeWithPostgres("the feed of postgresStore", () => {
  it("has one connection of its own, takes none of the pool, and closes it", async () => {
    const { tableName, pool } = testTable();
    const own = testPool({ max: 1 });
    const store = testStore({ pool: own, tableName });
    const heard = await listen(store);
    const stop = await store.changes?.(new Heard(), patient);
    expect(await listeners(pool, tableName)).toHaveLength(1);
    expect(own.totalCount).toBe(1);
    const client = await own.connect(); // the only one
    client.release();
    await stop?.();
    expect(await listeners(pool, tableName)).toHaveLength(1);
    await store.close();
    await vi.waitFor(async () => expect(await listeners(pool, tableName)).toEqual([]), waiting);
    expect(own.totalCount).toBe(1);
    expect(heard.errors).toEqual([]);
    expect((await own.query("SELECT 1")).rowCount).toBe(1); // the pool is not the store's
  });

  it("is broken when its connection is ended, and whole again soon after", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    const other = testStore({ pool: testPool(), tableName });
    const heard = await listen(store);
    await pool.query("SELECT pg_terminate_backend($1)", await listeners(pool, tableName));
    await vi.waitFor(() => expect(heard.errors).toHaveLength(1), waiting);
    expect(String(heard.errors[0])).toMatch(/terminat/);
    expect(heard.missedCount).toBe(0);
    await mended(heard);
    await everythingTold(other, heard);
    expect(heard.errors).toHaveLength(1);
    expect(await listeners(pool, tableName)).toHaveLength(1);
  });

  it("survives a database that ends all connections, and so does the process", async () => {
    const { tableName, pool } = testTable();
    const own = new Pool({ connectionString: postgresUrl(), application_name: tableName });
    onTestFinished(() => own.end());
    const store = postgresStore({ pool: own, tableName, createTableIfMissing: true });
    const heard = await listen(store);
    await vi.waitFor(() => expect(own.idleCount).toBeGreaterThan(0), waiting);
    const pids = await listeners(pool, tableName);
    await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", [
      tableName,
    ]);
    await pool.query("SELECT pg_terminate_backend($1)", pids);
    await vi.waitFor(() => expect(heard.errors).toHaveLength(1), waiting);
    await mended(heard);
    expect(await store.read(key)).toBeNull();
    await store.close();
    await store.close();
    expect(own.listenerCount("error")).toBe(0);
  });

  it("detects by its heartbeat that it receives nothing, as behind a pooler in transaction mode", async () => {
    const { tableName, pool } = testTable();
    const clients: Client[] = [];
    class Noted extends Client {
      constructor(config: object) {
        super(config);
        clients.push(this);
      }
    }
    const { hostname: host, port, username: user, pathname } = new URL(postgresUrl());
    const address = { host, port: Number(port || 5432), user, database: pathname.slice(1) };
    const hidden = { connectionString: undefined, password: "of a pool, which hides it from enumeration" };
    const { options } = testPool({ ...address, ...hidden });
    const noted = { ...watched(pool).pool, options, Client: Noted };
    const store = testStore({ pool: noted, tableName });
    const heard = await listen(store, { heartbeatMs });
    expect(Reflect.get(Object(clients[0]), "password")).toMatch(/^of a pool/);
    await clients[0]?.query("UNLISTEN *");
    await vi.waitFor(() => expect(heard.errors).toHaveLength(1), waiting);
    expect(heard.errors[0]).toMatchObject({
      code: "STORE_TIMEOUT",
      message: expect.stringMatching(/pooler.*listenConnectionString/),
    });
    await mended(heard);
    await everythingTold(store, heard);
    expect(clients).toHaveLength(2);
  });

  it("is refused with the cure if it receives nothing from the start", async () => {
    const { tableName, pool } = testTable();
    class Pooled extends Client {
      constructor(config: object) {
        super(config);
        this.on("connect", () => {
          // What a pooler does when it gives the connection to somebody else.
          const query = this.query.bind(this);
          this.query = ((text: string) => query(`${text}; UNLISTEN *`)) as typeof this.query;
        });
      }
    }
    const store = testStore({ pool: { ...watched(pool).pool, Client: Pooled } as never, tableName });
    await store.read(key);
    await expect(openFeed(store, { heartbeatMs })).rejects.toThrow(/pooler.*listenConnectionString/);
    expect(await listeners(pool, tableName)).toEqual([]);
  });

  it("uses listenConnectionString, and notices when nothing arrives there any more", async () => {
    const { tableName, pool } = testTable();
    const proxy = await startProxy();
    const store = testStore({ pool, tableName, listenConnectionString: proxy.url });
    const heard = await listen(store, { heartbeatMs });
    expect(proxy.connections).toBe(1);
    await everythingTold(store, heard);
    expect(proxy.connections).toBe(1);
    proxy.freeze();
    await vi.waitFor(() => expect(heard.errors).toHaveLength(1), waiting);
    await vi.waitFor(() => expect(proxy.connections).toBeGreaterThan(1), waiting);
    const closing = performance.now();
    await store.close(); // whose goodbyes nobody answers
    expect(performance.now() - closing).toBeLessThan(10_000);
    await vi.waitFor(() => expect(proxy.open).toBe(0), waiting);
    expect(heard.missedCount).toBe(0);
  });

  it("is one channel, whether the schema is named or found by the search path", async () => {
    const schemaName = newName("schema");
    const pool = testPool();
    await pool.query(`CREATE SCHEMA ${schemaName}`);
    const named = testStore({ pool, schemaName });
    await named.create(key, { cookie: {} }, later());
    const found = testStore({ pool: testPool({ options: `-c search_path=${schemaName}` }) });
    const elsewhere = testTable();
    const apart = testStore({ pool: elsewhere.pool, tableName: elsewhere.tableName });
    await apart.read(key);
    const [one, two, three] = await Promise.all([listen(named), listen(found), listen(apart)]);
    await found.destroy(key, "revoked");
    await everythingTold(named, one, two);
    await everythingTold(apart, three);
    const heardOf = ({ changes }: Heard, what: SessionKey) => changes.filter((change) => isOf(change, what));
    expect(heardOf(one, key)).toHaveLength(1);
    expect(heardOf(two, key)).toHaveLength(1);
    expect(three.changes).toEqual([]);
    await Promise.all([named.close(), found.close(), apart.close()]);
    await pool.query(`DROP SCHEMA ${schemaName} CASCADE`);
  });

  it("reports a session with more public ids than a notification holds by the newest", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    const heard = await listen(store);
    const publicIds = Array.from({ length: 300 }, (_, n) => keyOf(`${n}`).publicId);
    const many = { sid: "of many secrets", publicId: publicIds[0] ?? "", publicIds };
    const revision = await store.create(many, { cookie: {} }, later());
    await store.replace(many, revision ?? "", { cookie: {}, n: 1 }, later(), undefined, "a write");
    expect(await store.destroy(many, "destroyed")).toBe(true);
    await vi.waitFor(() => expect(heard.changes).toHaveLength(2), waiting);
    expect(heard.changes).toMatchObject([{ kind: "changed", write: "a write" }, { kind: "ended" }]);
    for (const { publicIds: told = [] } of heard.changes) {
      expect(told).toEqual(publicIds.slice(0, told.length));
      expect(told.length).toBeGreaterThan(100);
    }
  });

  it("publishes no session id", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    await store.create(key, { cookie: {} }, later(), "ada");
    const { rows } = await pool.query("SELECT 'socket_session_' || to_regclass($1)::oid AS channel", [
      tableName,
    ]);
    const listener = await testPool({ max: 1 }).connect();
    const payloads: unknown[] = [];
    listener.on("notification", ({ payload }) => payloads.push(payload));
    await listener.query(`LISTEN ${rows[0].channel}`);
    const { revision } = (await store.read(key)) ?? { revision: "" };
    await store.touch(key, later() + 1000, {}, "ada");
    await store.replace(key, revision, { cookie: {}, n: 1 }, later(), "ada");
    await store.destroy(key, "revoked");
    await vi.waitFor(() => expect(payloads).toHaveLength(2), waiting);
    expect(String(payloads)).toContain(key.publicId);
    expect(String(payloads)).not.toContain(key.sid);
    listener.release(true);
  });
});
