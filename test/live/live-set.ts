import { sessionNames } from "../../src/data/session-key.ts";
import { Actors } from "../../src/live/actors.ts";
import { Hub } from "../../src/live/hub.ts";
import type { End, Observer } from "../../src/live/live-entry.ts";
import { noteSigner } from "../../src/live/notes.ts";
import { Activity } from "../../src/session/activity.ts";
import { ConditionalWrites } from "../../src/session/conditional-writes.ts";
import { Saves } from "../../src/session/saves.ts";
import { Updates } from "../../src/session/updates.ts";
import type { SessionKey, SessionStore } from "../../src/session-store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock } from "../support/manual-clock.ts";

export const day = 86_400_000;
const secrets = ["a secret of thirty-two characters"];
export const nameOf = sessionNames(secrets);
export const sign = noteSigner(secrets);

/** A hub and all that works on it, over a store, with time that stands still. */
export function liveSet(
  store?: SessionStore,
  clock = new ManualClock(),
  absoluteMs = Number.POSITIVE_INFINITY,
  nodeName = "a node",
) {
  const used = store ?? memoryStore({ clock });
  const errors: unknown[] = [];
  const ends: [publicId: string, end: End][] = [];
  const changes: string[] = [];
  const hub = new Hub({
    store: used,
    clock,
    revalidateIntervalMs: 30_000,
    staleMs: 60_000,
    storeTimeoutMs: 10_000,
    actors: new Actors(() => false),
    absoluteMs,
    nodeName,
    sign,
    events: {
      stored: () => {},
      changed: ({ publicId }) => changes.push(publicId),
      ended: ({ publicId }, end) => ends.push([publicId, end]),
      feed: () => {},
      failed: (error) => errors.push(error),
    },
  });
  const userOf = ({ userId }: { readonly userId?: unknown }) =>
    typeof userId === "string" ? userId : undefined;
  const lives = { ttlMs: day, absoluteMs };
  const writes = new ConditionalWrites(hub, lives, userOf, 1 << 20);
  const saves = new Saves(hub, writes);
  const updates = new Updates(hub, writes, saves, 10_000);
  const activity = new Activity(hub, saves, { touchIntervalMs: 60_000, ...lives, userOf });
  hub.freshness.feed.start();
  return { hub, writes, saves, updates, activity, clock, store: used, errors, ends, changes };
}

export type LiveSet = ReturnType<typeof liveSet>;

export const cookie = { originalMaxAge: null, expires: null, path: "/" };

/** A stored session of `data`. */
export async function stored(set: LiveSet, sid: string, data: object = {}): Promise<SessionKey> {
  const key = nameOf(sid);
  await set.store.create(key, { cookie, ...data }, set.clock.now() + day);
  return key;
}

/** An observer that writes down what it is told. */
export function listening(): Observer & { heard: unknown[] } {
  const heard: unknown[] = [];
  return {
    heard,
    changed: ({ data }) => heard.push(data),
    ended: ({ reason }) => heard.push(reason),
  };
}
