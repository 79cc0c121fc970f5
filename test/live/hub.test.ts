import { describe, expect, test } from "vitest";
import type { FeedListener, SessionStore, StoredSession } from "../../src/session-store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { cookie, day, listening, liveSet, nameOf, stored } from "./live-set.ts";

/** A store whose reads wait until they are let go, each with what is stored at its begin. */
function slowReads(store: SessionStore): SessionStore & { waiting: (() => void)[] } {
  const waiting: (() => void)[] = [];
  return Object.assign(Object.create(store), {
    waiting,
    changes: store.changes?.bind(store),
    read: async (key: Parameters<SessionStore["read"]>[0]): Promise<StoredSession | null> => {
      const found = await store.read(key);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return found;
    },
    replace: store.replace.bind(store),
    create: store.create.bind(store),
    touch: store.touch.bind(store),
    destroy: store.destroy.bind(store),
    close: store.close.bind(store),
  });
}

async function letGo(store: { waiting: (() => void)[] }): Promise<void> {
  await settle();
  for (const go of store.waiting.splice(0)) go();
  await settle();
}

describe("register first, then read", () => {
  test("an end that overtakes a read wins over it", async () => {
    const clock = new ManualClock();
    const store = slowReads(memoryStore({ clock }));
    const set = liveSet(store, clock);
    const key = await stored(set, "a", { n: 1 });
    const observer = listening();
    const entry = set.hub.observe(key, observer);
    const loaded = set.hub.reads.load(entry);
    await settle(); // the read has its answer, and has not delivered it
    await store.destroy(key, "destroyed");
    await letGo(store);
    expect(await loaded).toBeNull();
    expect(entry.isEnded).toBe(true);
    expect(observer.heard).toEqual(["destroyed"]);
    expect(set.hub.counts).toMatchObject({ live: 0, timers: 0, locks: 0 });
  });

  test("a change that overtakes a read makes it read again", async () => {
    const clock = new ManualClock();
    const store = slowReads(memoryStore({ clock }));
    const set = liveSet(store, clock);
    const key = await stored(set, "a", { n: 1 });
    const entry = set.hub.observe(key, listening());
    const loaded = set.hub.reads.load(entry);
    await settle();
    const first = store.waiting.length;
    const { revision } = (await memoryRead(store, key)) ?? { revision: "" };
    await store.replace(key, revision, { cookie, n: 2 }, clock.now() + day);
    await letGo(store);
    await letGo(store);
    expect(first).toBe(1);
    expect((await loaded)?.data).toEqual({ n: 2 });
  });

  test("a write of this node that finishes during a read wins over it", async () => {
    const clock = new ManualClock();
    const store = slowReads(memoryStore({ clock }));
    const set = liveSet(store, clock);
    const key = await stored(set, "a", { n: 1 });
    const entry = set.hub.observe(key, listening());
    const first = set.hub.reads.load(entry);
    await letGo(store);
    expect((await first)?.data).toEqual({ n: 1 });
    const again = set.hub.reads.load(entry);
    await settle();
    await set.updates.update(key, (draft) => {
      draft.n = 2;
    });
    await letGo(store);
    expect((await again)?.data).toEqual({ n: 2 });
    expect(entry.snapshot?.data).toEqual({ n: 2 });
  });
});

/** What is stored, past the slow reads. */
function memoryRead(store: SessionStore, key: Parameters<SessionStore["read"]>[0]) {
  return (Object.getPrototypeOf(store) as SessionStore).read(key);
}

describe("what is live", () => {
  test("is kept once, however many observers it has, and told to each; one that throws harms nobody", async () => {
    const set = liveSet();
    const key = await stored(set, "a", { n: 1 });
    const observers = [listening(), listening()];
    const thrower = {
      changed: () => {
        throw new Error("thrown");
      },
      ended: () => {
        throw new Error("thrown at the end");
      },
    };
    const entry = set.hub.observe(key, thrower);
    for (const observer of observers) expect(set.hub.observe(key, observer)).toBe(entry);
    await set.hub.reads.load(entry);
    await set.updates.update(key, (draft) => {
      draft.n = 2;
    });
    await set.hub.end(key, "revoked");
    expect(observers.map(({ heard }) => heard)).toEqual([
      [{ n: 2 }, "revoked"],
      [{ n: 2 }, "revoked"],
    ]);
    expect(set.errors).toMatchObject([
      { code: "LISTENER_FAILED", cause: new Error("thrown") },
      { code: "LISTENER_FAILED", cause: new Error("thrown at the end") },
    ]);
    expect(set.ends).toEqual([[key.publicId, { reason: "revoked", by: { by: "application" } }]]);
    expect(set.changes).toEqual([key.publicId]);
  });

  test("snapshots are frozen all the way down", async () => {
    const set = liveSet();
    const key = await stored(set, "a", { deep: { list: [{ n: 1 }] } });
    const entry = set.hub.observe(key, listening());
    const snapshot = await set.hub.reads.load(entry);
    if (!snapshot) throw new Error("it is gone");
    const { list } = snapshot.data.deep as { list: { n: number }[] };
    expect(() => list.push({ n: 2 })).toThrow(TypeError);
    expect(() => Object.assign(list[0] ?? {}, { n: 2 })).toThrow(TypeError);
  });

  test("after 10,000 sessions came and went nothing of them is left", async () => {
    const set = liveSet();
    const timers = set.clock.pending;
    for (let i = 0; i < 10_000; i++) {
      const key = await stored(set, `sid ${i}`, { i });
      const observer = listening();
      const entry = set.hub.observe(key, observer);
      await set.hub.reads.load(entry);
      await set.updates.update(key, (draft) => {
        draft.n = i;
      });
      set.activity.onEvent(entry);
      if (i % 2 === 0) await set.hub.end(key, "destroyed");
      set.hub.release(entry, observer);
      expect(entry.observers.length).toBe(0);
    }
    expect(set.hub.counts).toMatchObject({ live: 0, timers: 0, locks: 0 });
    expect(set.updates.running).toBe(0);
    await set.clock.advance(2 * day); // the rest of them expires
    expect(set.hub.counts.ends).toBe(0);
    expect(set.activity.remembered).toBe(0);
    expect(await set.store.count?.()).toBe(0);
    expect(set.clock.pending).toBeLessThanOrEqual(timers);
  }, 60_000);
});

describe("a session that was never stored", () => {
  test("has no end to tell of, however often it is asked for or ended", async () => {
    const set = liveSet();
    const key = nameOf("never");
    const observer = listening();
    const entry = set.hub.observe(key, observer);
    expect(await set.hub.reads.load(entry)).toBeNull();
    expect(entry.isEnded).toBe(false);
    expect(await set.hub.end(key, "destroyed")).toBe(false);
    expect(set.ends).toEqual([]);
    set.hub.release(entry, observer);
    expect(set.hub.counts).toMatchObject({ live: 0, timers: 0, locks: 0 });
  });
});

describe("the feed", () => {
  function feeding() {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    const listeners: FeedListener[] = [];
    let reads = 0;
    const read = store.read.bind(store);
    store.read = async (key) => {
      reads++;
      return read(key);
    };
    store.changes = async (listener) => {
      listeners.push(listener);
      return async () => {};
    };
    const set = liveSet(store, clock);
    return { set, clock, store, feed: () => listeners[0] as FeedListener, reads: () => reads };
  }

  test("while it is whole, idle sessions cost no read but one at their deadline", async () => {
    const { set, clock, reads } = feeding();
    const key = await stored(set, "a");
    const observer = listening();
    await set.hub.reads.load(set.hub.observe(key, observer));
    expect(reads()).toBe(1);
    await clock.advance(day - 1);
    expect(reads()).toBe(1);
    await clock.advance(2000);
    expect(reads()).toBe(2);
    expect(observer.heard).toEqual(["expired"]);
  });

  test("while it is cut, sessions are read again every revalidateIntervalMs, and all of them at its return", async () => {
    const { set, clock, store, feed, reads } = feeding();
    const key = await stored(set, "a", { n: 1 });
    const observer = listening();
    await set.hub.reads.load(set.hub.observe(key, observer));
    feed().broken(new Error("cut"));
    expect(set.hub.freshness.feed.state).toBe("broken");
    const { revision } = (await store.read(key)) as StoredSession;
    await store.replace(key, revision, { cookie, n: 2 }, "keep");
    await clock.advance(29_000);
    expect(observer.heard).toEqual([]);
    await clock.advance(1_000);
    expect(observer.heard).toEqual([{ n: 2 }]);
    await store.destroy(key, "destroyed");
    const before = reads();
    feed().missed();
    await settle();
    expect(set.hub.freshness.feed.state).toBe("whole");
    expect(reads()).toBe(before + 1);
    expect(observer.heard).toEqual([{ n: 2 }, "destroyed"]);
    expect(set.errors).toMatchObject([{ code: "STORE_FEED_BROKEN", cause: { message: "cut" } }]);
  });

  test("news under any public id of a session reach it, as in a rotation of secrets", async () => {
    const { set, feed } = feeding();
    const key = await stored(set, "a");
    const observer = listening();
    const both = { ...key, publicIds: ["newer", "older"] };
    await set.hub.reads.load(set.hub.observe(both, observer));
    feed().changed({ kind: "ended", publicIds: ["unknown", "older"], reason: "revoked" });
    expect(observer.heard).toEqual(["revoked"]);
  });

  test("without one, sessions are read again every revalidateIntervalMs", async () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    Object.defineProperty(store, "changes", { value: undefined });
    const set = liveSet(store, clock);
    const key = await stored(set, "a");
    const observer = listening();
    await set.hub.reads.load(set.hub.observe(key, observer));
    expect(set.hub.freshness.feed.state).toBe("none");
    await store.destroy(key, "destroyed");
    await clock.advance(30_000);
    expect(observer.heard).toEqual(["destroyed"]);
  });

  test("a session that the store keeps past its time is asked for ever less, and not ended", async () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    let reads = 0;
    const past = clock.now() + 1000;
    store.read = async () => {
      reads++;
      return { document: { cookie }, expiresAt: past, revision: 1 };
    };
    const set = liveSet(store, clock);
    const observer = listening();
    await set.hub.reads.load(set.hub.observe(nameOf("a"), observer));
    await clock.advance(1000 + 10 * 60_000);
    expect(observer.heard).toEqual([]);
    expect(reads).toBeGreaterThan(15);
    expect(reads).toBeLessThan(35);
  });
});

describe("writes", () => {
  test("beaten by other writers each time, they give up with SESSION_CONTENTION", async () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    store.replace = async () => null;
    const set = liveSet(store, clock);
    const key = await stored(set, "a", { n: 1 });
    let runs = 0;
    const update = set.updates.update(key, (draft) => {
      runs++;
      draft.n = -runs;
    });
    const outcome = expect(update).rejects.toMatchObject({ code: "SESSION_CONTENTION" });
    for (let i = 0; i < 110; i++) await clock.advance(20);
    await outcome;
    expect(runs).toBe(100);
  });

  test("a plain object without a base replaces a stored session, and makes one only if it never ended here", async () => {
    const set = liveSet();
    const fields = new Map([["n", "2"]]);
    const key = await stored(set, "a", { n: 1, other: true });
    expect((await set.saves.saveWhole(key, { fields, cookie })).snapshot?.data).toEqual({ n: 2 });
    await set.hub.end(key, "destroyed");
    expect((await set.saves.saveWhole(key, { fields, cookie })).snapshot).toBeNull();
    expect(await set.store.read(key)).toBeNull();
    expect((await set.saves.saveWhole(nameOf("new"), { fields, cookie })).snapshot?.data).toEqual({ n: 2 });
  });

  test("a late update of a session that was never stored, or has ended, throws SessionEnded and stores nothing", async () => {
    const set = liveSet();
    await expect(set.updates.update(nameOf("never"), () => {})).rejects.toMatchObject({
      code: "SESSION_ENDED",
    });
    const key = await stored(set, "a");
    await set.hub.end(key, "destroyed");
    await expect(set.updates.update(key, () => {})).rejects.toMatchObject({ name: "SessionEnded" });
    expect(await set.store.count?.()).toBe(0);
  });

  test("nesting is refused, also through other async code; other sessions and later calls are not", async () => {
    const set = liveSet();
    const a = await stored(set, "a");
    const b = await stored(set, "b");
    const inner = set.updates.update(a, async () => {
      await Promise.resolve();
      await set.updates.update(b, () => set.updates.update(a, () => {}).then(() => {}));
    });
    await expect(inner).rejects.toMatchObject({ code: "SESSION_NESTED_UPDATE" });
    let later: Promise<unknown> = Promise.resolve();
    await set.updates.update(a, () => {
      later = new Promise((resolve) => setImmediate(resolve)).then(() => set.updates.update(a, () => "fine"));
    });
    expect(await later).toMatchObject({ result: "fine" });
  });

  test("an update leaves the life time alone that another node has extended", async () => {
    const set = liveSet();
    const key = await stored(set, "a", { n: 1 });
    const entry = set.hub.observe(key, listening());
    await set.hub.reads.load(entry);
    await set.store.touch(key, set.clock.now() + 5 * day, cookie);
    await set.updates.update(key, (draft) => {
      draft.n = 2;
    });
    expect((await set.store.read(key))?.expiresAt).toBe(set.clock.now() + 5 * day);
  });
});
