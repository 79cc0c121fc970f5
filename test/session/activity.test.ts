import { describe, expect, test } from "vitest";
import { fieldsOf } from "../../src/data/fields.ts";
import { snapshotOf } from "../../src/data/snapshot.ts";
import { Activity } from "../../src/session/activity.ts";
import { day, liveSet, nameOf } from "../live/live-set.ts";
import { oneNode } from "../live/one-node.ts";
import { ManualClock } from "../support/manual-clock.ts";

const life = 3_600_000;

async function node() {
  const on = await oneNode();
  const activity = new Activity(on.hub, on.saves, {
    touchIntervalMs: 60_000,
    ttlMs: life,
    absoluteMs: Number.POSITIVE_INFINITY,
    userOf: () => undefined,
  });
  const request = (maxAge: number) => {
    const cookie = { originalMaxAge: maxAge, expires: null };
    return activity.onRequest(on.key, {
      cookie,
      fields: fieldsOf({ n: 1 }),
      expiresAt: on.clock.now() + life / 2,
    });
  };
  return { ...on, activity, request };
}

test("concurrent requests make one touch, even if express-session has lost a millisecond of the life", async () => {
  const { store, activity, request } = await node();
  const requests = [request(life), request(life - 1), request(life)];
  await store.finish();
  expect(await Promise.all(requests)).toEqual([true, undefined, undefined]);
  expect(activity.touches).toBe(1);
});

test("a shortened life applies from then on", async () => {
  const { store, activity, request } = await node();
  const requests = [request(life), request(life * 0.8)];
  await store.finish();
  await Promise.all(requests);
  expect(activity.touches).toBe(2);
});

test("a touch that a read overlaps moves the deadline that is shown, by another read", async () => {
  const { hub, store, clock, activity, handshake } = await oneNode();
  const { entry, observer, admitted } = handshake();
  await store.finish();
  const loaded = (await admitted)?.expiresAt ?? 0;
  await clock.advance(120_000);
  activity.onEvent(entry);
  const read = hub.reads.load(entry);
  await store.do("read"); // the touch is still on its way
  await store.answer("read");
  await read;
  await store.do("touch");
  await store.answer("touch");
  expect(entry.snapshot?.expiresAt).toBe(loaded);
  await store.finish();
  expect(entry.snapshot?.expiresAt).toBe(clock.now() + day);
  expect(observer.heard).toHaveLength(1);
});

describe("with an absolute life time", () => {
  const absoluteMs = 2 * life;

  async function limited(startedAt?: number) {
    const clock = new ManualClock();
    const set = liveSet(undefined, clock, absoluteMs);
    const key = nameOf("a");
    const start = startedAt === undefined ? {} : { socketSessionStartedAt: clock.now() + startedAt };
    const document = { cookie: { originalMaxAge: life, expires: null }, n: 1, ...start };
    await set.store.create(key, document, clock.now() + life / 2);
    const activity = new Activity(set.hub, set.saves, {
      touchIntervalMs: 60_000,
      ttlMs: life,
      absoluteMs,
      userOf: () => undefined,
    });
    const request = async () => {
      const found = await set.hub.reads.read(key);
      return found ? activity.onRequest(key, snapshotOf(found)) : null;
    };
    const kept = async () => set.store.read(key);
    return { ...set, key, clock, activity, request, kept };
  }

  test("the first use gives a session a start, once, and changes nothing else", async () => {
    const { clock, activity, request, kept } = await limited();
    const began = clock.now();
    expect(await Promise.all([request(), request()])).toEqual([true, undefined]);
    expect(await kept()).toMatchObject({
      document: { cookie: { originalMaxAge: life, expires: null }, n: 1, socketSessionStartedAt: began },
      expiresAt: began + life,
    });
    await clock.advance(life / 2);
    expect(await request()).toBe(true);
    expect((await kept())?.document.socketSessionStartedAt).toBe(began);
    expect(activity.touches).toBe(2);
  });

  test("a session that another package has stored, and that is too large to write, gets its start as well", async () => {
    const { clock, store, key, request, kept } = await limited();
    await store.destroy(key, "destroyed");
    await store.create(key, { cookie: {}, text: "x".repeat(2 << 20) }, clock.now() + life);
    expect(await request()).toBe(true);
    expect((await kept())?.document.socketSessionStartedAt).toBe(clock.now());
  });

  test("a session that has ended gets no start", async () => {
    const { store, key, activity, clock } = await limited();
    await store.destroy(key, "destroyed");
    const gone = { cookie: {}, fields: new Map(), expiresAt: clock.now() + 1 };
    expect(await activity.onRequest(key, gone)).toBe(false);
    expect(await store.read(key)).toBeNull();
  });

  test("touches reach the last deadline exactly, and never pass it", async () => {
    const { clock, activity, request, kept } = await limited(0);
    const last = clock.now() + absoluteMs;
    const step = 70_000; // neither of the life times is a multiple of it
    for (; clock.now() < last - step; await clock.advance(step)) await request();
    expect((await kept())?.expiresAt).toBe(last);
    expect(activity.touches).toBeLessThanOrEqual(life / step + 2);
    await clock.advance(step);
    expect(await kept()).toBeNull();
    expect(await request()).toBeNull();
  });
});
