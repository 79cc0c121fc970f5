/** Next to connect-pg-simple 10 itself, on one table: each reads, writes, extends and ends what the other has stored. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import connectPgSimple from "connect-pg-simple";
import express from "express";
import session from "express-session";
import type { Pool } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { postgresStore } from "../../../src/stores/postgres/store.ts";
import { Browser, disconnected } from "../../support/browser.ts";
import { installHandlers } from "../../support/handlers.ts";
import { sessionRoutes } from "../../support/session-routes.ts";
import { secret, startWorld, type World } from "../../support/world.ts";
import { keyOf } from "../session-keys.ts";
import { describeWithPostgres, drop, newName, openPool } from "./tables.ts";

const PgStore = connectPgSimple(session);
type Peer = InstanceType<typeof PgStore>;

const key = keyOf("a session");
const HOUR = 3_600_000;
const patience = { timeout: 10_000 };

/** The peer's methods as promises. */
function promised(peer: Peer) {
  const settle = <T>(call: (done: (error?: unknown, value?: T | null) => void) => void) =>
    new Promise<T | null | undefined>((resolve, reject) =>
      call((error, value) => (error ? reject(error) : resolve(value))),
    );
  return {
    get: (sid: string) => settle<session.SessionData>((done) => peer.get(sid, done)),
    set: (sid: string, data: object) => settle((done) => peer.set(sid, data as session.SessionData, done)),
    touch: (sid: string, data: object) =>
      settle((done) => peer.touch?.(sid, data as session.SessionData, () => done())),
    destroy: (sid: string) => settle((done) => peer.destroy(sid, done)),
    prune: () => settle((done) => peer.pruneSessions(done)),
  };
}

const zones = ["UTC", "America/New_York"];

describeWithPostgres.each(zones)("postgresStore beside connect-pg-simple, with connections in %s", (zone) => {
  let tableName: string;
  let pool: Pool;
  let endPool: () => Promise<void>;
  let store: SessionStore;
  let peer: ReturnType<typeof promised>;
  let peerStore: Peer;
  const closing: (() => unknown)[] = [];

  beforeEach(async () => {
    tableName = newName();
    ({ pool, end: endPool } = openPool({ options: `-c TimeZone=${zone}` }));
    store = postgresStore({ pool, tableName, createTableIfMissing: true });
    peerStore = new PgStore({ pool, tableName });
    peer = promised(peerStore);
    await store.read(key); // makes the table
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    await Promise.all([store.close(), peerStore.close()]);
    await drop(pool, tableName);
    await endPool();
  });

  const row = async () => (await pool.query(`SELECT sess::text, expire::text, sid FROM ${tableName}`)).rows;
  const lasting = (ms: number) => {
    const expires = new Date(Math.ceil((Date.now() + ms) / 1000) * 1000);
    return { cookie: { originalMaxAge: ms, expires: expires.toISOString(), httpOnly: true, path: "/" } };
  };

  it("stores the same bytes", async () => {
    const document = { ...lasting(HOUR), name: "é\0\ud800", nested: { "": [1, null, 1.5e-7] } };
    await store.create(key, document, Date.parse(document.cookie.expires));
    const ours = await row();
    await peer.set(key.sid, document);
    expect(await row()).toEqual(ours);
    expect(ours[0]?.sid).toBe(key.sid);
  });

  it("reads, writes, extends and ends what the other has stored", async () => {
    const document = { ...lasting(HOUR), n: 1 };
    await peer.set(key.sid, document);
    const found = await store.read(key);
    expect(found).toMatchObject({ document, expiresAt: Date.parse(document.cookie.expires) });
    expect(await store.create(key, { cookie: {} }, Date.now() + HOUR)).toBeNull();
    const replaced = { ...document, n: 2 };
    expect(await store.replace(key, found?.revision ?? "", replaced, "keep")).not.toBeNull();
    expect(await peer.get(key.sid)).toEqual(replaced);
    await store.touch(key, Date.now() + 3 * HOUR, document.cookie);
    await store.destroy(key, "destroyed");
    expect(await peer.get(key.sid)).toBeUndefined();
  });

  it("has its own read, written, extended and ended by the other", async () => {
    const document = { ...lasting(HOUR), n: 1 };
    const revision = await store.create(key, document, Date.now() + HOUR, "ada");
    expect(await peer.get(key.sid)).toEqual(document);
    const extended = lasting(2 * HOUR);
    await peer.touch(key.sid, extended);
    expect(await store.read(key)).toEqual({
      document,
      expiresAt: Date.parse(extended.cookie.expires),
      revision,
    });
    expect((await store.listByUser?.("ada"))?.map(({ sid }) => sid)).toEqual([key.sid]);
    await peer.set(key.sid, { ...document, n: 2 });
    expect(await store.replace(key, revision ?? "", { ...document, n: 3 }, "keep")).toBeNull();
    expect((await store.read(key))?.document.n).toBe(2);
    await peer.destroy(key.sid);
    expect(await store.read(key)).toBeNull();
    expect(await store.listByUser?.("ada")).toEqual([]);
  });

  it("agrees on when a session without a cookie's life is over, and the other prunes it", async () => {
    const before = Date.now();
    await peer.set(key.sid, { cookie: { originalMaxAge: null, path: "/" } });
    const { expiresAt = 0 } = (await store.read(key)) ?? {};
    expect(Math.abs(expiresAt - before - (store.ttlMs ?? 0))).toBeLessThan(5000);
    await store.create(keyOf("over"), { cookie: {} }, Date.now() - 5000, "ada");
    expect(await peer.get("over")).toBeUndefined();
    await peer.prune();
    expect((await row()).map(({ sid }) => sid)).toEqual([key.sid]);
  });

  describe("as applications", () => {
    let own: World;
    let theirs: Browser;
    let ada: Browser;

    async function startPeer(): Promise<string> {
      const app = express();
      app.use(express.json());
      const options = { secret, name: "sid", resave: false, saveUninitialized: false };
      app.use(session({ ...options, store: peerStore }));
      sessionRoutes(app);
      app.get("/session", (req, res) => {
        const { cookie: _cookie, ...data } = req.session;
        res.json(data);
      });
      app.post("/logout", (req, res) => req.session.destroy(() => res.send("out")));
      const http = createServer(app);
      await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
      closing.push(() => {
        http.closeAllConnections();
        http.close();
      });
      return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    }

    async function start(options: { otherWriters: boolean; revalidateIntervalMs: number }): Promise<void> {
      const { otherWriters, revalidateIntervalMs } = options;
      const shared = postgresStore({ pool, tableName, createTableIfMissing: true, otherWriters });
      own = await startWorld({
        store: shared,
        revalidateIntervalMs,
        userId: ({ name }) => name,
        sockets: (io) => installHandlers(io),
      });
      closing.push(() => own.close());
      theirs = new Browser(await startPeer());
      ada = own.browser();
    }

    it("share logins, writes and logouts, seen by live sockets within revalidateIntervalMs", async () => {
      await start({ otherWriters: true, revalidateIntervalMs: 600 });
      await expect.poll(() => own.sessions.stats().store.feed).toBe("whole");
      await theirs.post("/login", { name: "ada" });
      ada.cookie = theirs.cookie;
      const socket = await ada.connect("/");
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
      await theirs.post("/write", { n: 4 });
      await expect.poll(() => socket.emitWithAck("read"), patience).toEqual({ name: "ada", n: 4 });
      expect(await socket.emitWithAck("increment")).toBe(5);
      expect(JSON.parse(await theirs.get("/session"))).toEqual({ name: "ada", n: 5 });
      const gone = disconnected(socket);
      await theirs.post("/logout");
      expect(await gone).toBe("io server disconnect");
      expect(JSON.parse(await ada.get("/session")).data).toEqual({});
    });

    it("see the other's login, and its logout, by the next request", async () => {
      await start({ otherWriters: false, revalidateIntervalMs: HOUR });
      const mine = await own.visitor({ name: "ada" });
      theirs.cookie = mine.cookie;
      expect(JSON.parse(await theirs.get("/session"))).toEqual({ name: "ada" });
      await theirs.post("/write", { n: 1 });
      expect(JSON.parse(await mine.get("/session")).data).toEqual({ name: "ada", n: 1 });
      await mine.post("/logout");
      expect(JSON.parse(await theirs.get("/session"))).toEqual({});
    });

    it("lose no update to the other's write, though nobody told the socket of it", async () => {
      await start({ otherWriters: false, revalidateIntervalMs: HOUR });
      const mine = await own.visitor({ name: "ada" });
      theirs.cookie = mine.cookie;
      const socket = await mine.connect("/");
      await theirs.post("/write", { n: 7 });
      expect(await socket.emitWithAck("read"), "not read again yet").toEqual({ name: "ada" });
      expect(await socket.emitWithAck("increment")).toBe(8);
      expect(JSON.parse(await theirs.get("/session"))).toEqual({ name: "ada", n: 8 });
    });

    it("end live sockets of a session that the other has ended, at the next request here", async () => {
      await start({ otherWriters: false, revalidateIntervalMs: HOUR });
      const mine = await own.visitor({ name: "ada" });
      theirs.cookie = mine.cookie;
      const socket = await mine.connect("/");
      const gone = disconnected(socket);
      await theirs.post("/logout");
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
      await mine.get("/session");
      expect(await gone).toBe("io server disconnect");
    });
  });
});
