/**
 * Sessions in MongoDB, in the format of `connect-mongo` 6, shared by all nodes and by applications that use that package.
 *
 * ```ts
 * import { MongoClient } from "mongodb";
 * import { mongodbStore } from "socket-session/mongodb";
 * const client = new MongoClient(url);
 * const sessions = liveSessions({ store: mongodbStore({ client, dbName: "app" }), secret });
 * ```
 *
 * - `client` and `dbName`, `collectionName` ("sessions"); or `collection`. The client stays the application's to close.
 * - `ttl` (14 days, in seconds), `touchAfter`, `stringify` (true), `serialize`, `unserialize`, `transformId`,
 *   `autoRemove` ("native"), `autoRemoveInterval` (10 minutes), `timestamps`, `writeOperationOptions`: as in `connect-mongo`.
 * - `originalId`: the reverse of `transformId`. Without it there is no index of users.
 * - `feed`: "change stream", "capped collection", or "auto" (default): the first if the server supports it.
 * - `clock`: decides when a session expires; the system's by default.
 *
 * Every operation on one session is one atomic step on its document. `close()` ends the feed and the timers.
 */
import type { Clock } from "../../base/clock.ts";
import type {
  CookieDocument,
  FeedListener,
  FeedOptions,
  FeedTraits,
  Revision,
  SessionDocument,
  SessionKey,
  SessionStore,
  StoredEndReason,
  StoredSession,
  Unsubscribe,
  UserSession,
} from "../../session-store.ts";
import { endOf } from "../common/messages.ts";
import { untilClosed } from "../common/until-closed.ts";
import {
  errorCode,
  type MongodbCollection,
  type MongodbDocument,
  type MongodbWriteOptions,
  mongodbErrors,
} from "./client.ts";
import { createdAt, endMark, indexed, lastModified, live, newIndex, over, updatedAt } from "./documents.ts";
import { EndedRemoval, markCleared, writeNote } from "./ends.ts";
import { MongodbFeed } from "./feed.ts";
import { MongodbFormat } from "./format.ts";
import { MongodbIds } from "./ids.ts";
import { type MongodbStoreOptions, type ResolvedMongodbOptions, resolveMongodbOptions } from "./options.ts";
import { MongodbReads } from "./reads.ts";
import { MongodbTickets } from "./tickets.ts";
import { MongodbUpkeep } from "./upkeep.ts";

export type { MongodbStoreOptions };

export function mongodbStore(options: MongodbStoreOptions): SessionStore {
  return untilClosed(new MongodbStore(resolveMongodbOptions(options)), "mongodbStore()");
}

class MongodbStore implements SessionStore {
  readonly name = "mongodb";
  readonly atomic = true;
  readonly ttlMs: number;
  readonly listByUser?: (user: string) => Promise<UserSession[]>;
  readonly #options: ResolvedMongodbOptions;
  readonly #collection: MongodbCollection;
  readonly #clock: Clock;
  readonly #format: MongodbFormat;
  readonly #ids: MongodbIds;
  readonly #feed: MongodbFeed;
  readonly #upkeep: MongodbUpkeep;
  readonly #reads: MongodbReads;
  readonly #ended: EndedRemoval;
  readonly #tickets: MongodbTickets;
  readonly #writeOptions: MongodbWriteOptions;

  constructor(options: ResolvedMongodbOptions) {
    const { collection, database, clock, feed, writeConcern } = options;
    this.ttlMs = options.ttlMs;
    this.#options = options;
    this.#collection = collection;
    this.#clock = clock;
    this.#format = new MongodbFormat(options);
    this.#ids = new MongodbIds(options, clock);
    this.#upkeep = new MongodbUpkeep(collection, options);
    this.#reads = new MongodbReads(collection, this.#format, this.#ids, clock);
    const writeOptions = writeConcern ? { writeConcern } : {};
    this.#writeOptions = writeOptions;
    this.#feed = new MongodbFeed({ database, collection, ids: this.#ids, clock, feed, writeOptions });
    this.#ended = new EndedRemoval(collection, writeOptions, clock);
    this.#tickets = new MongodbTickets(database, collection, writeOptions, options);
    if (this.#ids.areReversible) this.listByUser = (user) => this.#reads.byUser(user);
  }

  get feed(): FeedTraits | undefined {
    return this.#feed.traits;
  }

  read(key: SessionKey): Promise<StoredSession | null> {
    this.#upkeep.begin();
    return this.#reads.one(key.sid);
  }

  readMany(keys: readonly SessionKey[]): Promise<(StoredSession | null)[]> {
    return this.#reads.many(keys.map(({ sid }) => sid));
  }

  async create(
    { sid }: SessionKey,
    document: SessionDocument,
    expiresAt: number,
    user?: string,
  ): Promise<Revision | null> {
    this.#begin(user);
    const _id = this.#ids.stored(sid);
    const session = this.#format.stored(document);
    const now = this.#clock.now();
    const created = {
      _id,
      session,
      expires: new Date(expiresAt),
      ...lastModified(this.#options, now),
      ...createdAt(this.#options, now),
      ...newIndex(user, now),
    };
    try {
      await this.#collection.replaceOne(over(_id, now), created, { upsert: true, ...this.#writeOptions });
    } catch (error) {
      if (errorCode(error) === mongodbErrors.duplicateKey) return null; // the id has a live session
      throw error;
    }
    this.#ids.remember(_id, sid, expiresAt);
    return this.#format.revision(session);
  }

  async replace(
    { sid, publicIds }: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
    user?: string,
    write = "",
    isNewUser = false,
  ): Promise<Revision | null> {
    this.#begin(user);
    const session = this.#format.stored(document, expected);
    const revision = this.#format.revision(session);
    const publishes = (await this.#feed.kind()) === "capped collection";
    const now = this.#clock.now();
    const filter = {
      _id: this.#ids.stored(sid),
      session: { $eq: this.#format.value(expected) },
      ...live(now),
    };
    const { $set: since, ...entry } = indexed(user, now, isNewUser);
    const update = {
      $set: {
        session,
        ...(expiresAt === "keep" ? {} : { expires: new Date(expiresAt) }),
        ...lastModified(this.#options, now),
        ...(publishes ? {} : { "socketSession.write": write }),
        ...since,
      },
      ...updatedAt(this.#options),
      ...entry,
    };
    if (!(await this.#update(filter, update))) return null;
    if (expiresAt !== "keep") this.#ids.remember(filter._id, sid, expiresAt);
    if (publishes) await this.#feed.messages.publishChange({ kind: "changed", publicIds, write });
    return revision;
  }

  async touch(
    { sid }: SessionKey,
    expiresAt: number,
    _cookie: CookieDocument,
    user?: string,
  ): Promise<boolean> {
    this.#begin(user);
    const now = this.#clock.now();
    const _id = this.#ids.stored(sid);
    const { $or: _either, ...unmarked } = live(now);
    const modified = lastModified(this.#options, now);
    const set = "lastModified" in modified ? { $set: modified } : {};
    const update = { ...set, ...updatedAt(this.#options), ...indexed(user, now) };
    const extended = { ...update, $max: { expires: new Date(expiresAt) } };
    if (!(await this.#update({ _id, ...unmarked, expires: { $gt: new Date(now) } }, extended))) {
      // A session without `expires` lives for ever; $max would set one.
      const immortal = { _id, ...unmarked, expires: { $exists: false } };
      if (Object.keys(update).length > 0) return this.#update(immortal, update);
      return (await this.#collection.findOne(immortal, { readPreference: "primary" })) !== null;
    }
    this.#ids.remember(_id, sid, expiresAt);
    return true;
  }

  async destroy(
    { sid, publicIds }: SessionKey,
    reason: StoredEndReason,
    _isNewId?: boolean,
    message?: string,
  ): Promise<boolean> {
    this.#begin(undefined);
    const filter = { _id: this.#ids.stored(sid), ...live(this.#clock.now()) };
    if ((await this.#feed.kind()) === "capped collection") {
      const { deletedCount } = await this.#collection.deleteOne(filter, this.#writeOptions);
      if (deletedCount === 0) return false;
      await this.#feed.messages.publishChange({ kind: "ended", publicIds, ...endOf(reason, message) });
      return true;
    }
    // A removal alone would not publish the reason.
    if (!(await this.#update(filter, endMark(endOf(reason, message), this.#format.empty)))) return false;
    this.#ended.add(filter._id);
    return true;
  }

  changes(listener: FeedListener, options: FeedOptions): Promise<Unsubscribe> {
    return this.#feed.listen(listener, options);
  }

  async tell(note: string): Promise<void> {
    if ((await this.#feed.kind()) === "capped collection") await this.#feed.messages.publishNote(note);
    else await writeNote(this.#collection, note, this.#format.empty, this.#writeOptions);
  }

  all(): Promise<Record<string, SessionDocument> | SessionDocument[]> {
    return this.#reads.all();
  }

  count(): Promise<number> {
    return this.#collection.countDocuments(live(this.#clock.now()), { readPreference: "primary" });
  }

  async clear(): Promise<void> {
    await this.#collection.deleteMany({}, this.#writeOptions);
    if ((await this.#feed.kind()) === "capped collection") await this.#feed.messages.publishCleared();
    else await markCleared(this.#collection, this.#format.empty, this.#writeOptions, this.#clock);
  }

  putTicket(id: string, value: string, expiresAt: number): Promise<void> {
    return this.#tickets.put(id, value, expiresAt);
  }

  takeTicket(id: string): Promise<string | null> {
    return this.#tickets.take(id);
  }

  async close(): Promise<void> {
    this.#ids.stop();
    const closing = [this.#feed.close(), this.#upkeep.close(), this.#tickets.close(), this.#ended.flush()];
    await Promise.all(closing);
  }

  #begin(user: string | undefined): void {
    this.#upkeep.begin();
    if (user !== undefined) this.#upkeep.indexUsers();
  }

  async #update(filter: MongodbDocument, update: MongodbDocument): Promise<boolean> {
    return (await this.#collection.updateOne(filter, update, this.#writeOptions)).matchedCount > 0;
  }
}
