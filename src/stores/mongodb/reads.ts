/** Reads sessions from the primary: a secondary may not have received a logout yet. */
import { mapInTurns } from "../../base/batches.ts";
import type { Clock } from "../../base/clock.ts";
import type { SessionDocument, StoredSession, UserSession } from "../../session-store.ts";
import { ifReadable, isRecord } from "../common/documents.ts";
import type { MongodbCollection, MongodbDocument } from "./client.ts";
import { live, sinceKey, userKey } from "./documents.ts";
import type { MongodbFormat } from "./format.ts";
import type { MongodbIds } from "./ids.ts";

/** The latest possible time, for a session without `expires`. */
const never = 8_640_000_000_000_000;

export class MongodbReads {
  readonly #collection: MongodbCollection;
  readonly #format: MongodbFormat;
  readonly #ids: MongodbIds;
  readonly #clock: Clock;

  constructor(collection: MongodbCollection, format: MongodbFormat, ids: MongodbIds, clock: Clock) {
    this.#collection = collection;
    this.#format = format;
    this.#ids = ids;
    this.#clock = clock;
  }

  async one(sid: string): Promise<StoredSession | null> {
    const _id = this.#ids.stored(sid);
    const found = await this.#collection.findOne(
      { _id, ...live(this.#clock.now()) },
      { readPreference: "primary" },
    );
    return found && this.#remembered(_id, sid, this.#stored(found));
  }

  async many(sids: readonly string[]): Promise<(StoredSession | null)[]> {
    if (sids.length === 0) return [];
    const ids = sids.map((sid) => this.#ids.stored(sid));
    const found = await this.#find({ _id: { $in: [...new Set(ids)] } }, ids.length + 1);
    const documentsById = new Map(found.map((document) => [document._id, document]));
    return sids.map((sid, n) => {
      const _id = ids[n] ?? "";
      const document = documentsById.get(_id);
      return document ? this.#remembered(_id, sid, this.#stored(document)) : null;
    });
  }

  async byUser(user: string): Promise<UserSession[]> {
    const found = await this.#find({ "socketSession.users": userKey(user) }, 1_000);
    const listed = await mapInTurns(found, (document) => {
      const sid = this.#ids.sid(document._id);
      return sid === undefined
        ? []
        : [{ sid, since: sinceOf(document, user), stored: ifReadable(() => this.#stored(document)) }];
    });
    return listed.flat();
  }

  /** By id, or as a list if an `_id` can't be converted to the id. */
  async all(): Promise<Record<string, SessionDocument> | SessionDocument[]> {
    const found = await this.#find({}, 1_000);
    const readable = found.flatMap((one) => {
      const stored = ifReadable(() => this.#stored(one));
      return stored ? [{ _id: one._id, document: stored.document }] : [];
    });
    if (!this.#ids.areReversible) return readable.map(({ document }) => document);
    const entries = readable.flatMap(({ _id, document }): [string, SessionDocument][] => {
      const sid = this.#ids.sid(_id);
      return sid === undefined ? [] : [[sid, document]];
    });
    // fromEntries defines own properties, so that an id such as `__proto__` is one entry like any other.
    return Object.fromEntries(entries);
  }

  #find(filter: MongodbDocument, batchSize: number): Promise<MongodbDocument[]> {
    const options = { readPreference: "primary", batchSize } as const;
    return this.#collection.find({ ...filter, ...live(this.#clock.now()) }, options).toArray();
  }

  #stored({ session, expires }: MongodbDocument): StoredSession {
    return {
      document: this.#format.document(session),
      expiresAt: expires instanceof Date ? expires.getTime() : never,
      revision: this.#format.revision(session),
    };
  }

  #remembered(_id: string, sid: string, stored: StoredSession): StoredSession {
    this.#ids.remember(_id, sid, stored.expiresAt);
    return stored;
  }
}

function sinceOf({ socketSession }: MongodbDocument, user: string): number {
  const since = isRecord(socketSession) && isRecord(socketSession.since) ? socketSession.since : {};
  const date = since[sinceKey(user)];
  return date instanceof Date ? date.getTime() : 0;
}
