/** Over is over, even if the store returns an expired session: where this process knows that it has expired. */
import { afterEach, describe, expect, it } from "vitest";
import type { ExpressStore } from "../../../src/stores/express/shape.ts";
import { fromExpressStore } from "../../../src/stores/express/store.ts";
import { disconnected, refused } from "../../support/browser.ts";
import { installHandlers } from "../../support/handlers.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { namespaceKinds, transportKinds } from "../../support/matrix.ts";
import { startWorld, type World } from "../../support/world.ts";
import { keyOf } from "../session-keys.ts";
import { KeepingStore } from "./fixtures/keeping-store.ts";

const MINUTE = 60_000;
const key = keyOf("a session");

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

describe.each(transportKinds)("a store for this process alone, by $name", ({ transports }) => {
  describe.each(namespaceKinds)("in $name", ({ namespace }) => {
    it.each([
      ["of the session", { cookie: { maxAge: MINUTE } }],
      ["of all sessions", { ttlMs: MINUTE }],
    ])("ends a session when the life time %s is over", async (_name, options) => {
      const clock = new ManualClock();
      const store = new KeepingStore();
      world = await startWorld({
        store: store as never,
        sharedStore: false,
        clock,
        ...options,
        sockets: (io) => installHandlers(io),
      });
      const ada = await world.visitor({ name: "ada" });
      const { cookie } = ada;
      const socket = await ada.connect(namespace, { transports: [...transports] });
      await clock.advance(MINUTE / 2);
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" }); // which extends it
      await expect.poll(() => world?.sessions.stats().touches).toBeGreaterThan(0);
      await clock.advance(MINUTE - 1_000);
      expect(socket.connected).toBe(true);

      const told = new Promise((resolve) => socket.once("session:end", resolve));
      const gone = disconnected(socket);
      await clock.advance(2_000);
      expect(await told).toEqual({ reason: "expired" });
      expect(await gone).toBe("io server disconnect");
      expect(store.entries.size).toBe(1); // the store would answer with it
      expect((await refused(ada.socket(namespace, { transports: [...transports] }))).data).toEqual({
        code: "SESSION_ENDED",
      });
      expect(JSON.parse(await ada.get("/session")).data).toEqual({});
      ada.cookie = cookie;
      expect(JSON.parse(await ada.post("/write", { n: 1 }).then(() => ada.get("/session"))).data).toEqual({
        n: 1,
      });
    });
  });
});

describe("a session that the store returns may have been extended", () => {
  async function storedAt(clock: ManualClock, isShared: boolean) {
    const inner = new KeepingStore();
    const earlier = fromExpressStore(inner, { clock, isShared });
    const expires = new Date(clock.now() + MINUTE).toISOString();
    await earlier.create(key, { cookie: { originalMaxAge: MINUTE, expires } }, clock.now() + MINUTE);
    return inner;
  }
  const readAfter = async (ms: number, isShared: boolean, restartedAfter?: number) => {
    const clock = new ManualClock();
    const inner = await storedAt(clock, isShared);
    await clock.advance(restartedAfter ?? ms);
    const store = fromExpressStore(inner, { clock, isShared });
    await clock.advance(ms - (restartedAfter ?? ms));
    return store.read(key);
  };

  it("by another process, if the store is shared: it lives as long as the store says", async () => {
    expect(await readAfter(2 * MINUTE, true)).not.toBeNull();
  });

  it("by an earlier process on the same store, until a life time after our start", async () => {
    expect(await readAfter(2 * MINUTE, false, 1.5 * MINUTE)).not.toBeNull();
    expect(await readAfter(2.5 * MINUTE, false, 1.5 * MINUTE)).toBeNull();
    expect(await readAfter(MINUTE, false, MINUTE)).not.toBeNull();
  });

  it("by nothing after our own last touch: neither read, replaced, touched nor found to end", async () => {
    const clock = new ManualClock();
    const inner = new KeepingStore();
    const store = fromExpressStore(inner, { clock, isShared: false });
    const cookie = { originalMaxAge: MINUTE, expires: new Date(clock.now() + MINUTE).toISOString() };
    const revision = await store.create(key, { cookie }, clock.now() + MINUTE);
    await clock.advance(MINUTE / 2);
    await store.touch(key, clock.now() + MINUTE, cookie);
    await clock.advance(MINUTE - 1);
    expect(await store.read(key)).not.toBeNull();
    await clock.advance(1);
    expect(await store.read(key)).toBeNull();
    expect(await store.replace(key, revision ?? "", { cookie }, clock.now() + MINUTE)).toBeNull();
    expect(await store.touch(key, clock.now() + MINUTE, cookie)).toBe(false);
    expect(await store.destroy(key, "destroyed")).toBe(false);
    expect(inner.entries.size).toBe(0);
    expect(await store.create(key, { cookie, n: 1 }, clock.now() + MINUTE)).not.toBeNull();
  });

  it("by the store itself, if neither the session nor the application says how long it lives", async () => {
    const clock = new ManualClock();
    const store = fromExpressStore(new KeepingStore(), { clock, isShared: false });
    await store.create(key, { cookie: { originalMaxAge: null, expires: null } }, clock.now() + MINUTE);
    await clock.advance(1e10);
    expect(await store.read(key)).not.toBeNull();
  });

  it("by nothing for a list of all sessions either, by id or with their ids", async () => {
    const clock = new ManualClock();
    const texts = new Map<string, string>();
    const documents = () => [...texts].map(([id, text]): [string, object] => [id, JSON.parse(text)]);
    const forms = {
      byId: () => Object.fromEntries(documents()),
      withIds: () => documents().map(([id, document]) => ({ ...document, id })),
      withoutIds: () => documents().map(([, document]) => document),
    };
    const all = async (form: () => unknown, isShared: boolean) => {
      const inner: ExpressStore = {
        get: (sid, callback) => callback(null, JSON.parse(texts.get(sid) ?? "null")),
        set(sid, session, callback) {
          texts.set(sid, JSON.stringify(session));
          callback();
        },
        destroy: (_sid, callback) => callback(),
        touch: (_sid, _session, callback) => callback(),
        all: (callback) => callback(null, form()),
      };
      const store = fromExpressStore(inner, { clock, isShared, ttlMs: MINUTE });
      for (const sid of ["idle", "active"])
        await store.create(keyOf(sid), { cookie: {}, of: sid }, clock.now() + MINUTE);
      await clock.advance(MINUTE / 2);
      await store.touch(keyOf("active"), clock.now() + MINUTE, {});
      await clock.advance(MINUTE / 2);
      return Object.values((await store.all?.()) ?? {}).map(({ of }) => of);
    };
    expect(await all(forms.byId, false)).toEqual(["active"]);
    expect(await all(forms.withIds, false)).toEqual(["active"]);
    expect(await all(forms.withoutIds, false)).toEqual(["idle", "active"]); // which they are is not known
    expect(await all(forms.byId, true)).toEqual(["idle", "active"]);
  });

  it("is refused as an option that is neither true nor false", async () => {
    const options = { store: new KeepingStore() as never, sharedStore: "no" as never };
    await expect(startWorld(options)).rejects.toThrow(
      /`sharedStore` expects true or false; it was a string of 2 characters/,
    );
  });
});
