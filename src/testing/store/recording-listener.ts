/** A listener of the change feed that records what it receives. */
import type { FeedListener, SessionChange, SessionKey, SessionStore } from "../../session-store.ts";
import { eventually } from "./expectations.ts";
import { keyOf } from "./keys.ts";

export class RecordingListener implements FeedListener {
  readonly changes: SessionChange[] = [];
  readonly notes: string[] = [];
  readonly errors: unknown[] = [];
  missedCount = 0;

  changed(change: SessionChange): void {
    this.changes.push(change);
  }
  told(note: string): void {
    this.notes.push(note);
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

/** Whether the change names this session, by public ids or by `sid`. */
export function isOf({ publicIds, sid }: SessionChange, key: SessionKey): boolean {
  return sid === key.sid || publicIds?.[0] === key.publicId;
}

export const feedOptions = { heartbeatMs: 1000 };

export interface Subscription<Listener> {
  readonly received: Listener;
  stop(): Promise<void>;
}

export function subscribe(store: SessionStore): Promise<Subscription<RecordingListener>> {
  return subscribeWith(store, new RecordingListener());
}

export async function subscribeWith<Listener extends FeedListener>(
  store: SessionStore,
  received: Listener,
): Promise<Subscription<Listener>> {
  if (!store.changes) throw new Error("Expected a store with a change feed, but it has no changes().");
  return { received, stop: await store.changes(received, feedOptions) };
}

let marks = 0;
/** Hash tags that place one session on each server of a Redis Cluster of three. */
const places = ["{a}", "{b}", "{c}"];
/** Later than any time that a test sets. */
const farAway = Date.UTC(2100, 0);

/**
 * Publishes final changes through `store`, one on each server of the database, and waits until all listeners have
 * received them: they have then also received everything published before. Removes these changes again.
 */
export async function allReceived(store: SessionStore, ...listeners: RecordingListener[]): Promise<void> {
  marks += 1;
  const last = places.map((place) => keyOf(`mark ${marks} ${place}`));
  for (const mark of last) {
    await store.create(mark, { cookie: {} }, farAway);
    await store.destroy(mark, "destroyed");
  }
  for (const received of listeners) {
    await eventually(
      () => last.every((mark) => received.has(mark)),
      () => "Expected every listener to receive the end of a session that was just destroyed.",
    );
    const others = received.changes.filter((change) => !last.some((mark) => isOf(change, mark)));
    received.changes.splice(0, Number.POSITIVE_INFINITY, ...others);
  }
}
