/**
 * The tests of a store beside the package whose format it keeps: over the same sessions, each reads, writes, extends and ends
 * what the other has stored; as stores, and under an application each, with a live socket on ours.
 */
import type { Store } from "express-session";
import type { Server } from "socket.io";
import type { Socket } from "socket.io-client";
import type { LiveSessionsOptions, SessionStore } from "socket-session";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Browser, disconnected } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { startPeer } from "../support/peer-application.ts";
import { startWorld, type World } from "../support/world.ts";
import { promised } from "./promised-peer.ts";
import { keyOf } from "./session-keys.ts";

/** Two stores over the same sessions: they, their clients and the sessions last as long as the test. */
export interface Beside {
  readonly ours: SessionStore;
  readonly peer: Store;
}

interface Traits {
  /** Whether sockets learn what the other writes and ends without a request here: by the feed, or by revalidation. */
  readonly notices: boolean;
  /** Default: an hour, so that it makes no difference. */
  readonly revalidateIntervalMs?: number;
}

const HOUR = 3_600_000;
const patience = { timeout: 10_000 };

export function describeBeside(name: string, traits: Traits, open: () => Promise<Beside>): void {
  describe(name, () => {
    describe("as stores", () => describeStores(open));
    describe("as applications", () => describeApplications(traits, open));
  });
}

/** A document for so long, in whole seconds, as some packages keep it. */
export function lasting(ms: number) {
  const expires = new Date(Math.ceil((Date.now() + ms) / 1000) * 1000);
  return { cookie: { originalMaxAge: ms, expires: expires.toISOString(), httpOnly: true, path: "/" } };
}

/** As express-session hands it to a store: with a date. */
export function handed<Document extends ReturnType<typeof lasting>>(document: Document) {
  return { ...document, cookie: { ...document.cookie, expires: new Date(document.cookie.expires) } };
}

export const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** To five seconds: what is kept may be a life time in whole seconds. */
const about = (time: number): unknown => expect.closeTo(time, -4);

function describeStores(open: () => Promise<Beside>): void {
  const key = keyOf("a session");
  let store: SessionStore;
  let peer: ReturnType<typeof promised>;
  beforeEach(async () => {
    const opened = await open();
    store = opened.ours;
    peer = promised(opened.peer);
  });

  it("reads, writes, extends and ends what the other has stored", async () => {
    const document = { ...lasting(HOUR), n: 1 };
    await peer.set(key.sid, handed(document));
    const found = await store.read(key);
    expect(found).toMatchObject({ document, expiresAt: about(Date.parse(document.cookie.expires)) });
    expect(await store.create(key, { cookie: {} }, Date.now() + HOUR)).toBeNull();
    const replaced = { ...document, n: 2 };
    expect(await store.replace(key, found?.revision ?? "", replaced, "keep", "ada")).not.toBeNull();
    expect(asJson(await peer.get(key.sid))).toEqual(replaced);
    expect(await store.touch(key, Date.now() + 3 * HOUR, document.cookie, "ada")).toBe(true);
    expect(await store.read(key)).toMatchObject({ expiresAt: about(Date.now() + 3 * HOUR) });
    expect(asJson(await peer.get(key.sid))).toEqual(replaced);
    expect(await store.destroy(key, "destroyed")).toBe(true);
    expect(await peer.get(key.sid)).toBeNull();
  });

  it("has its own read, written, extended and ended by the other", async () => {
    const listed = async () => (await store.listByUser?.("ada"))?.map(({ sid }) => sid);
    const document = { ...lasting(HOUR), n: 1 };
    const revision = await store.create(key, document, Date.now() + HOUR, "ada");
    expect(asJson(await peer.get(key.sid))).toEqual(document);
    await peer.touch(key.sid, handed({ ...document, ...lasting(2 * HOUR) }));
    expect(await store.read(key)).toEqual({ document, expiresAt: about(Date.now() + 2 * HOUR), revision });
    await peer.set(key.sid, handed({ ...document, n: 2 }));
    expect(await listed()).toEqual([key.sid]);
    expect(await store.replace(key, revision ?? "", { ...document, n: 3 }, "keep")).toBeNull();
    expect((await store.read(key))?.document.n).toBe(2);
    await peer.destroy(key.sid);
    expect(await store.read(key)).toBeNull();
    expect(await listed()).toEqual([]);
  });
}

interface Neighbours {
  readonly ours: World;
  readonly theirs: Browser;
  /** Logged in by the other's application, and here with its cookie. */
  readonly ada: Browser;
  readonly socket: Socket;
}

export async function startNeighbours(
  { ours: store, peer }: Beside,
  revalidateIntervalMs = HOUR,
  options: Partial<LiveSessionsOptions> = {},
): Promise<Neighbours> {
  const other = await startPeer(peer);
  onTestFinished(() => other.close());
  const userId = ({ name }: { name?: string }) => name;
  const sockets = (io: Server) =>
    installHandlers(io, (socket) => {
      socket.on("expiresAt", (done) => done(socket.session.expiresAt));
    });
  const ours = await startWorld({ store, revalidateIntervalMs, userId, sockets, ...options });
  onTestFinished(() => ours.close());
  await expect.poll(() => ours.sessions.stats().store.feed, patience).toBe("whole");
  const theirs = other.browser();
  await theirs.post("/login", { name: "ada" });
  const ada = ours.browser();
  ada.cookie = theirs.cookie;
  return { ours, theirs, ada, socket: await ada.connect("/", { reconnection: false }) };
}

export const dataOf = async (browser: Browser) => JSON.parse(await browser.get("/session")).data;

function describeApplications({ notices, revalidateIntervalMs }: Traits, open: () => Promise<Beside>): void {
  let theirs: Browser;
  let ada: Browser;
  let socket: Socket;
  const read = () => socket.emitWithAck("read");
  beforeEach(async () => {
    ({ theirs, ada, socket } = await startNeighbours(await open(), revalidateIntervalMs));
  });

  it("shares logins and writes, and loses no update to the other's write", async () => {
    expect(await read()).toEqual({ name: "ada" });
    expect(await socket.emitWithAck("increment")).toBe(1);
    expect(await dataOf(theirs)).toEqual({ name: "ada", n: 1 });
    await theirs.post("/write", { m: 4 });
    if (!notices) {
      expect(await read(), "not read again yet").toEqual({ name: "ada", n: 1 });
      expect(await dataOf(ada)).toEqual({ name: "ada", n: 1, m: 4 });
    }
    await expect.poll(read, patience).toEqual({ name: "ada", n: 1, m: 4 });
    await theirs.post("/write", { m: 5 });
    expect(await socket.emitWithAck("increment"), "on top of what is stored").toBe(2);
    expect(await dataOf(theirs)).toEqual({ name: "ada", n: 2, m: 5 });
    await expect.poll(read, patience).toEqual({ name: "ada", n: 2, m: 5 });
  });

  it.each([
    ["logout", {}],
    ["login", { name: "eve" }],
  ])("ends with the session that the other's %s ends", async (path, data) => {
    const gone = disconnected(socket);
    await theirs.post(`/${path}`, data);
    if (!notices) {
      expect(await socket.emitWithAck("state"), "not read again yet").toBe("live");
      await ada.get("/session");
    }
    expect(await gone).toBe("io server disconnect");
    expect(await dataOf(ada)).toEqual({});
    expect(await dataOf(theirs)).toEqual(data);
  });

  it("logs the other out", async () => {
    await ada.post("/logout");
    expect(await dataOf(theirs)).toEqual({});
  });

  it("keeps the start of an absolute life time when it writes the session", async () => {
    const limits = { absoluteMs: HOUR, cookie: { maxAge: 24 * HOUR } };
    const { theirs, ada, socket } = await startNeighbours(await open(), revalidateIntervalMs, limits);
    const startOf = async () => (await dataOf(theirs)).socketSessionStartedAt;
    await expect.poll(startOf, patience).toEqual(about(Date.now())); // the other's application sees it
    const started = await startOf();
    await theirs.post("/write", { m: 4 });
    expect(await socket.emitWithAck("increment")).toBe(1);
    await ada.post("/write", { k: 1 });
    expect(await dataOf(theirs)).toEqual({ name: "ada", m: 4, n: 1, k: 1, socketSessionStartedAt: started });
    expect(await dataOf(ada)).toEqual({ name: "ada", m: 4, n: 1, k: 1 });
    expect(await socket.emitWithAck("expiresAt")).toEqual(about(started + HOUR));
  });
}
