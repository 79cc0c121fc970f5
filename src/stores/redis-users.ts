/**
 * The index of each user's sessions: a sorted set of session ids by when the entry is over, and a hash of when each
 * became the user's. Both keys go by themselves when the last entry is over.
 *
 * An entry is written before the session is, so that no crash leaves a session unlisted. It outlasts the session's
 * deadline by a life time (a day at least): most touches then find the session covered, and need no second round trip.
 */
import type { Clock } from "../clock.ts";
import { ExpiringMap } from "../core/expiring-map.ts";
import { latest, type RedisConnection, replyList, replyText } from "./redis-connection.ts";
import { type RedisNames, redisId } from "./redis-keys.ts";
import * as scripts from "./redis-scripts.ts";
import { originalId } from "./stored-id.ts";

const leastSlackMs = 86_400_000;
/** Of an entry, so that clocks of nodes may differ. */
const marginMs = 3_600_000;
/** How long an entry is taken for granted: a failover may lose it, another node take it out. */
const trustMs = 600_000;
/** An entry comes before its session; older ones without a session are of no use. */
const settledMs = 60_000;

export interface Listed {
  readonly sid: string;
  readonly since: number;
}

interface Covered {
  readonly user: string;
  readonly until: number;
  readonly expiresAt: number;
}

export class RedisUsers {
  readonly #connection: RedisConnection;
  readonly #names: RedisNames;
  readonly #clock: Clock;
  readonly #coveredBySid: ExpiringMap<Covered>;

  constructor(connection: RedisConnection, names: RedisNames, clock: Clock) {
    this.#connection = connection;
    this.#names = names;
    this.#clock = clock;
    this.#coveredBySid = new ExpiringMap(clock, { maxEntries: 100_000 });
  }

  /** Resolves once the session may live until `expiresAt` and be listed all that time. */
  async cover(sid: string, user: string | undefined, expiresAt: number | "keep"): Promise<void> {
    if (user === undefined) return;
    const now = this.#clock.now();
    const known = this.#coveredBySid.get(sid);
    const isOfUser = known?.user === user;
    if (isOfUser && (expiresAt === "keep" || known.until >= Math.min(expiresAt + marginMs, latest))) return;
    const deadline = expiresAt === "keep" ? await this.#storedDeadline(sid, now) : expiresAt;
    if (deadline === undefined) return;
    const until = Math.min(deadline + Math.max(leastSlackMs, deadline - now), latest);
    await scripts.run(this.#connection, scripts.addScript, this.#names.index(user), [
      redisId(sid),
      String(now),
      String(until),
    ]);
    this.#coveredBySid.set(sid, { user, until, expiresAt: now + trustMs });
  }

  /** Undefined if there is no session, which then will not be written either. */
  async #storedDeadline(sid: string, now: number): Promise<number | undefined> {
    const key = this.#names.session(sid);
    const leftMs = Number(replyText(await this.#connection.send(key, ["PTTL", key])));
    if (leftMs === -2) return undefined;
    return leftMs === -1 ? latest : now + leftMs;
  }

  /** The session is gone: one of that id would have to be listed anew. */
  forget(sid: string): void {
    this.#coveredBySid.delete(sid);
  }

  forgetAll(): void {
    this.#coveredBySid.clear();
  }

  async list(user: string): Promise<Listed[]> {
    const keys = this.#names.index(user);
    const reply = replyList(
      await scripts.run(this.#connection, scripts.listScript, keys, [String(this.#clock.now())]),
    );
    const listed: Listed[] = [];
    for (let at = 0; at + 1 < reply.length; at += 2) {
      listed.push({ sid: originalId(replyText(reply[at])), since: Number(replyText(reply[at + 1])) });
    }
    return listed;
  }

  /** Takes out entries whose session is gone, unless they are so young that it may be about to come. */
  async remove(user: string, gone: readonly Listed[]): Promise<void> {
    const settled = gone.filter(({ since }) => since <= this.#clock.now() - settledMs);
    for (let at = 0; at < settled.length; at += 1000) {
      const sids = settled.slice(at, at + 1000).map(({ sid }) => redisId(sid));
      await scripts.run(this.#connection, scripts.removeScript, this.#names.index(user), sids);
    }
  }

  stop(): void {
    this.#coveredBySid.stop();
  }
}
