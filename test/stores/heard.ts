/** A listener of the change feed that remembers what it was told. */
import { expect, vi } from "vitest";
import type { FeedListener, SessionChange, SessionKey, SessionStore } from "../../src/core/session-store.ts";
import { keyOf } from "./session-keys.ts";

export class Heard implements FeedListener {
  readonly changes: SessionChange[] = [];
  readonly errors: unknown[] = [];
  missedCount = 0;

  changed(change: SessionChange): void {
    this.changes.push(change);
  }
  broken(error: unknown): void {
    this.errors.push(error);
  }
  missed(): void {
    this.missedCount += 1;
  }

  has(key: SessionKey): boolean {
    return this.changes.some((change) => isOf(change, key));
  }
}

/** Whether the change names this session, in whichever way. */
export function isOf({ publicIds, sid }: SessionChange, key: SessionKey): boolean {
  return sid === key.sid || publicIds?.[0] === key.publicId;
}

export const feedOptions = { heartbeatMs: 1000 };

export async function listen(store: SessionStore): Promise<{ heard: Heard; stop: () => Promise<void> }> {
  const heard = new Heard();
  if (!store.changes) throw new Error("Expected a store with a feed.");
  return { heard, stop: await store.changes(heard, feedOptions) };
}

let marks = 0;
/** Of ids, by which a database of several servers tells where a session goes: one for each server of the tests' Cluster. */
const places = ["{a}", "{b}", "{c}"];
/** Later than any time that a test sets. */
const farAway = Date.UTC(2100, 0);

/**
 * Publishes last changes through `store`, on each server that it may consist of, and waits until everyone has heard them:
 * whatever was published before has then been told, and what is not there was never told. The changes themselves are
 * taken out again.
 */
export async function everythingTold(store: SessionStore, ...listeners: Heard[]): Promise<void> {
  marks += 1;
  const last = places.map((place) => keyOf(`mark ${marks} ${place}`));
  for (const mark of last) {
    await store.create(mark, { cookie: {} }, farAway);
    await store.destroy(mark, "destroyed");
  }
  for (const heard of listeners) {
    const missing = () => last.filter((mark) => !heard.has(mark));
    await vi.waitFor(() => expect(missing()).toEqual([]), { timeout: 5000, interval: 5 });
    const others = heard.changes.filter((change) => !last.some((mark) => isOf(change, mark)));
    heard.changes.splice(0, Number.POSITIVE_INFINITY, ...others);
  }
}
