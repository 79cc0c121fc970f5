/**
 * Sessions in Redis, in the format of connect-redis, so that both packages can use the same sessions.
 *
 * ```ts
 * import { createClient } from "redis";
 * import { redisStore } from "socket-session/redis";
 * const client = await createClient().connect();
 * const sessions = liveSessions({ store: redisStore({ client }), secret });
 * ```
 *
 * - `client`: of `redis` or `ioredis`, 5 or later, for one server or a Cluster. The store never closes it, and adds no
 *   listeners. The feed duplicates it for a connection of its own, which `close()` ends.
 * - `prefix`: the prefix of every session's key; `"sess:"`.
 * - `ttl`: how long a session without a `cookie.maxAge` lives, in seconds; 86400. `scanCount`: the `COUNT` of a `SCAN`; 100.
 * - `serializer`: an object with `stringify` and `parse`; `JSON`.
 * - `keyspaceEvents`: whether to receive other packages' writes by Redis's keyspace events. `"auto"`: if they are on.
 * - `otherWriters`: whether applications with connect-redis write too; false. Without keyspace events, live sessions are
 *   then read every `revalidateIntervalMs`.
 * - `clock`: the time that deadlines are compared with; the system's by default. Redis itself expires sessions.
 */

import { batches } from "../../base/batches.ts";
import type { Clock } from "../../base/clock.ts";
import { SocketSessionError } from "../../base/errors.ts";
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
import { changeMessage, clearedMessage, endOf, noteMessage } from "../common/messages.ts";
import { RemoteFeed } from "../common/remote-feed.ts";
import { untilClosed } from "../common/until-closed.ts";
import { latest, type RedisConnection, replyText } from "./connection.ts";
import { RedisFeed } from "./feed.ts";
import { RedisNames } from "./keys.ts";
import { createMark, touchMark } from "./keyspace.ts";
import {
  type RedisStoreOptions,
  type ResolvedRedisOptions,
  resolveRedisOptions,
  type Serializer,
} from "./options.ts";
import { isOfWrongKind, RedisReads, storedSids } from "./reads.ts";
import * as scripts from "./scripts.ts";
import { RedisUsers, type Saving } from "./users.ts";

export type { RedisStoreOptions };

const batchSize = 500;

export function redisStore(options: RedisStoreOptions): SessionStore {
  return untilClosed(new RedisStore(resolveRedisOptions(options)), "redisStore()");
}

class RedisStore implements SessionStore {
  readonly name = "redis";
  readonly atomic = true;
  readonly ttlMs: number;
  readonly #connection: RedisConnection;
  readonly #names: RedisNames;
  readonly #serializer: Serializer;
  readonly #reads: RedisReads;
  readonly #sids: () => Promise<Set<string>>;
  readonly #clock: Clock;
  readonly #users: RedisUsers;
  readonly #source: RedisFeed;
  readonly #feed: RemoteFeed;

  constructor(options: ResolvedRedisOptions) {
    const { connection, serializer, scanCount, clock } = options;
    const names = new RedisNames(options.prefix);
    this.ttlMs = options.ttlMs;
    this.#connection = connection;
    this.#names = names;
    this.#serializer = serializer;
    this.#reads = new RedisReads(connection, names, serializer, clock);
    this.#sids = () => storedSids(connection, names, scanCount);
    this.#clock = clock;
    this.#users = new RedisUsers(connection, names, clock);
    this.#source = new RedisFeed({ ...options, names });
    this.#feed = new RemoteFeed(() => this.#source, clock);
  }

  // No `readMany`: the client pipelines the commands of one turn of the event loop.
  read({ sid }: SessionKey): Promise<StoredSession | null> {
    return this.#reads.one(sid);
  }

  async create(
    key: SessionKey,
    document: SessionDocument,
    expiresAt: number,
    user?: string,
  ): Promise<Revision | null> {
    const text = this.#text(document);
    const created = await this.#users.cover({ sid: key.sid, user, life: expiresAt }, (saving) => {
      const mark = this.#source.receivesKeyEvents ? createMark : "";
      const args = [text, this.#leftMs(expiresAt), this.#names.channel, mark];
      return this.#save(scripts.createScript, args, saving, () => this.destroy(key, "destroyed"));
    });
    return created ? scripts.revisionOf(text) : null;
  }

  async replace(
    key: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
    user?: string,
    write = "",
    isNewUser = false,
  ): Promise<Revision | null> {
    const text = this.#text(document);
    const message = changeMessage({ kind: "changed", publicIds: key.publicIds, write });
    const replaced = await this.#users.cover(
      { sid: key.sid, user, life: expiresAt, trusts: !isNewUser, isNewUser },
      (saving) => {
        const lifeTime = expiresAt === "keep" ? expiresAt : this.#leftMs(expiresAt);
        const args = [String(expected), text, lifeTime, this.#names.channel, message];
        return this.#save(scripts.replaceScript, args, saving).catch(async (error: unknown) => {
          if (isOfWrongKind(error)) await this.#reads.one(key.sid); // rejects if the session's key has the wrong type
          throw error;
        });
      },
    );
    return replaced ? scripts.revisionOf(text) : null;
  }

  touch({ sid }: SessionKey, expiresAt: number, _cookie: CookieDocument, user?: string): Promise<boolean> {
    return this.#users.cover({ sid, user, life: { atLeast: expiresAt } }, async ({ keys, args }) => {
      const mark = this.#source.receivesKeyEvents ? touchMark : "";
      const all = [this.#leftMs(expiresAt), this.#names.channel, mark, ...args];
      return scripts.isOne(await scripts.run(this.#connection, scripts.touchScript, keys, all));
    });
  }

  async destroy(
    { sid, publicIds }: SessionKey,
    reason: StoredEndReason,
    _isNewId?: boolean,
    words?: string,
  ): Promise<boolean> {
    const message = changeMessage({ kind: "ended", publicIds, ...endOf(reason, words) });
    const args = [this.#names.channel, message];
    return scripts.runEnding(this.#connection, scripts.destroyScript, [this.#names.session(sid)], args);
  }

  changes(listener: FeedListener, options: FeedOptions): Promise<Unsubscribe> {
    return this.#feed.listen(listener, options);
  }

  tell(note: string): Promise<void> {
    return this.#publish(noteMessage(note));
  }

  get feed(): FeedTraits {
    return this.#source.traits;
  }

  async listByUser(user: string): Promise<UserSession[]> {
    const listed = await this.#users.list(user);
    const stored = await this.#reads.each(listed.map(({ sid }) => sid));
    const gone = listed.filter(({ sid }) => !stored.has(sid));
    await this.#users.remove(user, gone);
    return listed.flatMap((one) => {
      const session = stored.get(one.sid);
      return session === undefined ? [] : [{ ...one, stored: session }];
    });
  }

  async all(): Promise<Record<string, SessionDocument>> {
    const stored = await this.#reads.each([...(await this.#sids())]);
    // fromEntries defines own properties, so that an id such as `__proto__` is one entry like any other.
    return Object.fromEntries(
      [...stored].flatMap(([sid, session]) => (session ? [[sid, session.document]] : [])),
    );
  }

  async count(): Promise<number> {
    return (await this.#sids()).size;
  }

  async clear(): Promise<void> {
    for (const batch of batches([...(await this.#sids())], batchSize)) {
      const keys = batch.map((sid) => this.#names.session(sid));
      await Promise.all(keys.map((key) => this.#connection.send(key, ["DEL", key])));
    }
    await this.#publish(clearedMessage);
  }

  async putTicket(id: string, value: string, expiresAt: number): Promise<void> {
    const args = [value, this.#leftMs(expiresAt)];
    await scripts.run(this.#connection, scripts.putTicketScript, [this.#names.ticket(id)], args);
  }

  async takeTicket(id: string): Promise<string | null> {
    const key = this.#names.ticket(id);
    const reply = await scripts.run(this.#connection, scripts.takeTicketScript, [key], []);
    return reply === null ? null : replyText(reply);
  }

  async close(): Promise<void> {
    this.#users.stop();
    await this.#feed.close();
  }

  /** By one server: in a Cluster all forward it. */
  async #publish(message: string): Promise<void> {
    const { channel } = this.#names;
    await this.#connection.send(channel, ["PUBLISH", channel, message]);
  }

  #save(
    script: scripts.Script,
    args: readonly string[],
    { keys, args: more }: Saving,
    undo?: () => Promise<unknown>,
  ): Promise<boolean> {
    return scripts.runOnce(this.#connection, script, keys, [...args, ...more], undo);
  }

  /** A duration rather than a time, since the clocks of server and node may differ. */
  #leftMs(expiresAt: number): string {
    return String(Math.ceil(Math.min(expiresAt, latest) - this.#clock.now()));
  }

  #text(document: SessionDocument): string {
    const text: unknown = this.#serializer.stringify(document);
    if (typeof text === "string") return text;
    throw new SocketSessionError(
      "INVALID_OPTION",
      `Expected redisStore's serializer to give a string, but it gave ${typeof text}. Let stringify return one.`,
    );
  }
}
