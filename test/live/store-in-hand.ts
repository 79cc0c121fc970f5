/**
 * A hub over a store in the hand of the test: its feed says what the test says, its answers come as the test lets them,
 * and time stands still.
 *
 * ```ts
 * const hand = inHand();
 * const { entry, observer } = await watched(hand, "a");
 * hand.feed().broken(new Error("cut"));
 * hand.store.answers = "fails";
 * ```
 */
import type {
  CookieDocument,
  FeedListener,
  FeedTraits,
  Revision,
  SessionDocument,
  SessionKey,
  SessionStore,
  StoredEndReason,
  StoredSession,
  Unsubscribe,
} from "../../src/session-store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { cookie, listening, liveSet, stored } from "./live-set.ts";

/** `held`: the database has answered, and the answer is on its way until `letGo`. */
type Answers = "at once" | "held" | "hangs" | "fails";

class StoreInHand implements SessionStore {
  readonly name = "in hand";
  readonly atomic = true;
  /** What stands in the database, past the hand: what is written here, other nodes write. */
  readonly database: SessionStore;
  feed: FeedTraits | undefined;
  /** How reads and conditional writes are answered from now on. */
  answers: Answers = "at once";
  /** Whether a revision names a content, which may come again, or a write. */
  revisions: "of content" | "of writes" = "of writes";
  /** Ids of sessions that can't be read. */
  readonly corrupt = new Set<string>();
  /** How many sessions each `readMany` asked for. */
  readonly batches: number[] = [];
  /** Operations that were asked for. */
  asked = 0;
  listener: FeedListener | undefined;
  /** By session: the token of what this node wrote last. */
  readonly writes = new Map<string, string>();
  readonly #held: (() => void)[] = [];

  constructor(database: SessionStore) {
    this.database = database;
  }

  /** What is held arrives. */
  letGo(): void {
    for (const arrive of this.#held.splice(0)) arrive();
  }

  /** What is stored, under the revision that the hub is given; never held up. */
  async stored(key: SessionKey): Promise<StoredSession | null> {
    const found = await this.database.read(key);
    if (!found || this.revisions === "of writes") return found;
    return { ...found, revision: JSON.stringify(found.document) };
  }

  read(key: SessionKey): Promise<StoredSession | null> {
    return this.#answer(() => this.#look(key));
  }

  readMany(keys: readonly SessionKey[]): Promise<(StoredSession | null)[]> {
    this.batches.push(keys.length);
    return this.#answer(() => Promise.all(keys.map((key) => this.#look(key))));
  }

  async create(key: SessionKey, document: SessionDocument, expiresAt: number): Promise<Revision | null> {
    const created = await this.database.create(key, document, expiresAt);
    return created === null ? null : ((await this.stored(key))?.revision ?? null);
  }

  replace(
    key: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
    _user?: string,
    write = "",
  ): Promise<Revision | null> {
    return this.#answer(async () => {
      const current = await this.database.read(key);
      if (!current || (await this.stored(key))?.revision !== expected) return null;
      await this.database.replace(key, current.revision, document, expiresAt);
      this.writes.set(key.sid, write);
      return (await this.stored(key))?.revision ?? null;
    });
  }

  touch(key: SessionKey, expiresAt: number, cookieDocument: CookieDocument): Promise<boolean> {
    return this.database.touch(key, expiresAt, cookieDocument);
  }

  destroy(key: SessionKey, reason: StoredEndReason): Promise<boolean> {
    return this.database.destroy(key, reason);
  }

  async changes(listener: FeedListener): Promise<Unsubscribe> {
    this.listener = listener;
    return async () => {};
  }

  close(): Promise<void> {
    return this.database.close();
  }

  async #look(key: SessionKey): Promise<StoredSession | null> {
    if (this.corrupt.has(key.sid)) throw new TypeError("the document is corrupt");
    return this.stored(key);
  }

  async #answer<T>(operation: () => Promise<T>): Promise<T> {
    this.asked++;
    if (this.answers === "fails") throw new Error("the store is down");
    if (this.answers === "hangs") return new Promise<T>(() => {});
    const isHeld = this.answers === "held";
    const answer = await operation();
    if (isHeld) await new Promise<void>((arrive) => this.#held.push(arrive));
    return answer;
  }
}

export function inHand(clock = new ManualClock()) {
  const database = memoryStore({ clock });
  const store = new StoreInHand(database);
  const set = liveSet(store, clock);
  const feed = (): FeedListener => {
    if (!store.listener) throw new Error("Expected the hub to listen to the feed.");
    return store.listener;
  };
  return { set, hub: set.hub, clock, database, store, feed };
}

export type Hand = ReturnType<typeof inHand>;

/** A session that is live, and what its observer hears. */
export async function watched(hand: Hand, sid: string) {
  const key = await stored(hand.set, sid, { n: 1 });
  const observer = listening();
  const entry = hand.hub.observe(key, observer);
  await hand.hub.reads.load(entry);
  await settle();
  return { key, observer, entry };
}

/** How the feed tells of what this node wrote last. */
export function tellOf(hand: Hand, key: SessionKey): () => void {
  const { publicIds, sid } = key;
  const write = hand.store.writes.get(sid);
  if (write === undefined) throw new Error("Expected this node to have written the session.");
  return () => hand.feed().changed({ kind: "changed", publicIds, write });
}

/** Another node writes `data`. Returns how the feed tells of that. */
export async function writtenElsewhere(hand: Hand, key: SessionKey, data: object): Promise<() => void> {
  const current = await hand.database.read(key);
  if (!current) throw new Error("Expected the session to be stored.");
  await hand.database.replace(key, current.revision, { cookie, ...data }, "keep");
  return () => hand.feed().changed({ kind: "changed", publicIds: key.publicIds, write: "another node's" });
}
