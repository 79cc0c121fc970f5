/** A doubtful session is read soon, whatever else happens to it; other sessions are not affected. */
import { describe, expect, test } from "vitest";
import { Deadlines } from "../../src/base/deadlines.ts";
import { unreadableError } from "../../src/base/errors.ts";
import { fieldsOf } from "../../src/data/fields.ts";
import type { SessionStore } from "../../src/session-store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { cookie, liveSet } from "./live-set.ts";
import { oneNode } from "./one-node.ts";
import { SetBackClock } from "./set-back-clock.ts";
import { inHand, tellOf, watched, writtenElsewhere } from "./store-in-hand.ts";

describe("a write that is made without an answer, and whose message came before", () => {
  test("is read soon, even if a touch succeeds at that time", async () => {
    const hand = inHand();
    const { key, entry } = await watched(hand, "a");
    await hand.clock.advance(120_000);
    hand.store.answers = "held";
    const updating = hand.set.updates.update(key, (draft) => {
      draft.n = 2;
    });
    const failed = expect(updating).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
    await settle();
    tellOf(hand, key)();
    await hand.clock.advance(10_000);
    await failed;
    hand.store.answers = "at once";
    hand.set.activity.onEvent(entry);
    await settle();
    await hand.clock.advance(2_000);
    expect(entry.snapshot?.data).toEqual({ n: 2 });
  });

  test("is read soon, even if a read from before it is answered at that time", async () => {
    const on = await oneNode();
    const socket = on.handshake();
    await on.store.finish();
    const updating = on.updates.update(on.key, (draft) => {
      draft.n = 2;
    });
    const failed = expect(updating).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
    await settle();
    await on.clock.advance(5_000);
    const other = on.handshake();
    await on.store.do("read");
    await on.store.do("replace");
    await on.store.deliver();
    await on.clock.advance(5_000);
    await failed;
    await on.store.answer("read");
    await on.store.finish();
    await other.admitted;
    await on.clock.advance(2_000);
    await on.store.finish();
    expect(socket.entry.snapshot?.data).toEqual({ n: 2 });
  });
});

describe("a change whose read fails is read soon", () => {
  test("even if a touch succeeds before", async () => {
    const hand = inHand();
    const { key, entry } = await watched(hand, "a");
    await hand.clock.advance(120_000);
    const tell = await writtenElsewhere(hand, key, { n: 2 });
    hand.store.answers = "fails";
    tell();
    await settle();
    hand.store.answers = "at once";
    hand.set.activity.onEvent(entry);
    await settle();
    await hand.clock.advance(2_000);
    expect(entry.snapshot?.data).toEqual({ n: 2 });
  });

  test("even if a request's read from before it is answered, of a session that is gone", async () => {
    const hand = inHand();
    const { key, entry } = await watched(hand, "a");
    hand.store.answers = "held";
    const request = hand.hub.reads.read(key);
    await settle();
    await hand.database.destroy(key, "destroyed");
    hand.store.answers = "fails";
    hand.feed().changed({ kind: "changed", publicIds: key.publicIds });
    await settle();
    hand.store.answers = "at once";
    hand.store.letGo();
    await request;
    await hand.clock.advance(2_000);
    expect(entry.isEnded).toBe(true);
  });
});

test.each([{ bad: [3, 4] }, { bad: [0, 1] }, { bad: [0, 1, 4, 5] }])(
  "unreadable sessions, $bad of ten, do not affect the others after a gap",
  async ({ bad }) => {
    const clock = new ManualClock();
    const hand = inHand(clock);
    const sessions = [];
    for (let i = 0; i < 10; i++) sessions.push(await watched(hand, `sid ${i}`));
    for (const number of bad) hand.store.corrupt.add(`sid ${number}`);
    hand.feed().missed();
    await settle();
    await clock.advance(90_000);
    const ended = sessions.flatMap(({ observer }, number) => (observer.heard.length > 0 ? [number] : []));
    expect(ended).toEqual(bad);
  },
);

test("sessions that are known to be unreadable don't count as a store that is down", async () => {
  const hand = inHand();
  for (let i = 0; i < 5; i++) await watched(hand, `sid ${i}`);
  const unreadable = async () => {
    throw unreadableError("text that is not JSON");
  };
  Object.assign(hand.store, { read: unreadable, readMany: unreadable });
  hand.feed().missed();
  await settle();
  expect(hand.hub.freshness.feed.state).toBe("whole");
});

test("a session that became stale while its end got no answer ends as unverified, not as destroyed", async () => {
  const hand = inHand();
  const { key, observer } = await watched(hand, "a");
  hand.feed().broken(new Error("cut"));
  hand.store.answers = "fails";
  hand.store.destroy = () => new Promise(() => {});
  await hand.clock.advance(55_000);
  const ending = expect(hand.hub.end(key, "destroyed")).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
  await hand.clock.advance(10_000);
  await ending;
  expect(observer.heard).toEqual(["unverified"]);
  expect(hand.hub.ends.has(key)).toBe(false);
});

test("a clock that is set back makes everything due, even if another timer is set after it", async () => {
  const clock = new SetBackClock();
  const due: string[] = [];
  const deadlines = new Deadlines<string>(clock, (item) => due.push(item));
  deadlines.set("in half a minute", clock.now() + 30_000);
  clock.setBack(3_600_000);
  deadlines.set("soon", clock.now() + 100);
  await clock.advance(31_000);
  expect(due).toEqual(["soon", "in half a minute"]);
});

test("a handshake does not share a read that began before it, which may miss a logout", async () => {
  const on = await oneNode();
  const first = on.handshake();
  await on.store.do("read");
  await on.elsewhere.logout(); // the feed is slow to tell
  const second = on.handshake();
  await on.store.answer("read");
  expect((await first.admitted)?.data).toEqual({ n: 1 });
  await on.store.do("read");
  await on.store.answer("read");
  expect(await second.admitted).toBeNull();
});

test("handlers read an update when it resolves, without another read, although a read overlapped it", async () => {
  const on = await oneNode();
  const socket = on.handshake();
  await on.store.finish();
  const updating = on.updates.update(on.key, (draft) => {
    draft.n = 2;
  });
  await settle();
  const reading = on.request();
  await on.store.do("read"); // before the write
  await on.store.answer("read");
  await reading;
  await on.store.do("replace");
  await on.store.answer("replace");
  await updating;
  expect(socket.entry.snapshot?.data).toEqual({ n: 2 });
  await on.store.deliver();
  expect(on.store.choices).toBe(0);
});

describe("an id that is reused after its end", () => {
  test("does not end by the late message of the first end", async () => {
    const on = await oneNode();
    const ending = on.hub.end(on.key, "destroyed");
    await on.store.do("destroy");
    await on.store.answer("destroy");
    await ending;
    const held = { fields: fieldsOf({ n: 5 }), cookie, isNewId: true };
    const creating = on.saves.createNew(on.key, held, on.hub.ends.birth(on.key.sid), () => {});
    await on.store.do("create");
    await on.store.answer("create");
    await creating;
    const socket = on.handshake();
    await on.store.do("read");
    await on.store.answer("read");
    expect((await socket.admitted)?.data).toEqual({ n: 5 });
    await on.store.deliver();
    await on.store.finish();
    expect(socket.observer.heard).toEqual([]);
  });

  test("is stored, although the null of an abandoned read comes late", async () => {
    const on = await oneNode();
    const socket = on.handshake();
    await on.store.finish();
    await on.elsewhere.logout();
    const again = on.hub.reads.load(socket.entry);
    await on.store.do("read");
    on.hub.release(socket.entry, socket.observer);
    await on.store.deliver();
    const birth = on.hub.ends.birth(on.key.sid);
    await on.store.answer("read");
    await again;
    const held = { fields: fieldsOf({ n: 5 }), cookie, isNewId: true };
    const creating = on.saves.createNew(on.key, held, birth, () => {});
    await on.store.finish();
    expect((await creating)?.data).toEqual({ n: 5 });
  });
});

test("two handles that have seen different versions: the one with the older gets the change", async () => {
  const on = await oneNode();
  const load = async () => {
    const loading = on.request();
    await on.store.finish();
    return loading;
  };
  const seeds = [await load()];
  await on.elsewhere.write({ n: 2 });
  await on.store.deliver();
  seeds.push(await load());
  const older = on.handle(seeds[0]);
  const newer = on.handle(seeds[1]);
  await on.clock.advance(200);
  await on.store.finish();
  expect([older.one.data, newer.one.data]).toEqual([{ n: 2 }, { n: 2 }]);
  expect(older.heard).toEqual([{ data: { n: 2 }, previous: { n: 1 } }]);
  expect(newer.heard).toEqual([]);
});

test("close() does not wait for a subscription that never resolves", async () => {
  const clock = new ManualClock();
  const database = memoryStore({ clock });
  const store: SessionStore = Object.assign(Object.create(database), {
    close: database.close.bind(database),
    changes: () => new Promise(() => {}),
  });
  await liveSet(store, clock).hub.close();
});
