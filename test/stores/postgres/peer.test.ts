/** Next to connect-pg-simple 10 itself, on one table. */
import connectPgSimple from "connect-pg-simple";
import session from "express-session";
import type { Pool } from "pg";
import { expect, it, onTestFinished } from "vitest";
import { type PostgresStoreOptions, postgresStore } from "../../../src/stores/postgres/store.ts";
import { describeBeside, handed, lasting } from "../describe-beside.ts";
import { promised, settle } from "../promised-peer.ts";
import { keyOf } from "../session-keys.ts";
import { describeWithPostgres, drop, newName, openPool } from "./tables.ts";

const PgStore = connectPgSimple(session);
const key = keyOf("a session");
const HOUR = 3_600_000;
const revalidateIntervalMs = 600;
const zones = ["UTC", "America/New_York"];

describeWithPostgres.each(zones)("postgresStore, with connections in %s", (zone) => {
  async function besideConnectPgSimple(options: Partial<PostgresStoreOptions> = {}) {
    const tableName = newName();
    const { pool, end } = openPool({ options: `-c TimeZone=${zone}` });
    const ours = postgresStore({ pool, tableName, createTableIfMissing: true, ...options });
    const peer = new PgStore({ pool, tableName });
    onTestFinished(async () => {
      await Promise.all([ours.close(), peer.close()]);
      await drop(pool, tableName);
      await end();
    });
    await ours.read(key); // makes the table
    return { ours, peer, rows: () => rowsOf(pool, tableName) };
  }

  describeBeside("beside connect-pg-simple", { notices: false }, () => besideConnectPgSimple());
  describeBeside("told of connect-pg-simple", { notices: true, revalidateIntervalMs }, () =>
    besideConnectPgSimple({ otherWriters: true }),
  );

  it("stores the same bytes", async () => {
    const { ours, peer, rows } = await besideConnectPgSimple();
    const document = { ...lasting(HOUR), name: "é\0\ud800", nested: { "": [1, null, 1.5e-7] } };
    await ours.create(key, document, Date.parse(document.cookie.expires));
    const written = await rows();
    await promised(peer).set(key.sid, handed(document));
    expect(await rows()).toEqual(written);
    expect(written[0]?.sid).toBe(key.sid);
  });

  it("agrees on when a session without a cookie's life is over, and the other prunes it", async () => {
    const { ours, peer: store, rows } = await besideConnectPgSimple();
    const peer = promised(store);
    const before = Date.now();
    await peer.set(key.sid, { cookie: { originalMaxAge: null, path: "/" } });
    const { expiresAt = 0 } = (await ours.read(key)) ?? {};
    expect(Math.abs(expiresAt - before - (ours.ttlMs ?? 0))).toBeLessThan(5000);
    await ours.create(keyOf("over"), { cookie: {} }, Date.now() - 5000, "ada");
    expect(await peer.get("over")).toBeNull();
    await ours.putTicket?.("a ticket", "{}", Date.now() + HOUR);
    await settle((done) => store.pruneSessions(done));
    expect(await ours.takeTicket?.("a ticket")).toBe("{}");
    expect((await rows()).map(({ sid }) => sid)).toEqual([key.sid]);
  });
});

async function rowsOf(pool: Pool, tableName: string) {
  return (await pool.query(`SELECT sess::text, expire::text, sid FROM ${tableName}`)).rows;
}
