/**
 * The index of each user's sessions: a sorted set of session ids by when the entry is over, and a hash of when each
 * became the user's. Both keys go by themselves when the last entry is over.
 *
 * An entry is written by the script that writes the session, in one step. In a Cluster, where the two may be in different
 * slots, it is written before, so that no crash leaves a session unlisted. It outlasts the session's deadline by a life
 * time (a day at least): most touches then find the session covered, and leave the index alone.
 *
 * ```ts
 * await users.cover(key, "ada", { atLeast: expiresAt }, ({ keys, args }) => touch(keys, [lifeTime, channel, mark, ...args]));
 * ```
 */

import { batches } from "../../base/batches.ts";
import type { Clock } from "../../base/clock.ts";
import { ExpiringMap } from "../../base/expiring-map.ts";
import type { SessionKey } from "../../session-store.ts";
import { escaped, unescaped } from "../common/ids.ts";
import { latest, type RedisConnection, replyList, replyText } from "./connection.ts";
import type { RedisNames } from "./keys.ts";
import * as scripts from "./scripts.ts";

const leastSlackMs = 86_400_000;
/** Of an entry, so that clocks of nodes may differ. */
const marginMs = 3_600_000;
/** How long an entry is taken for granted: a failover may lose it, another node take it out. */
const trustMs = 600_000;
/** In a Cluster an entry comes before its session; older ones without a session are of no use. */
const settledMs = 60_000;

export interface Listed {
  readonly sid: string;
  readonly since: number;
}

/** The KEYS of a script that saves a session, and the last of its ARGV: with an entry of the index, or without. */
export interface Saving {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** How long a save lets a session live: until then, as long as it does already, or the longer of both. */
export type Life = number | "keep" | { readonly atLeast: number };

interface Covered {
  readonly publicId: string;
  readonly user: string;
  readonly until: number;
  readonly expiresAt: number;
}

export class RedisUsers {
  readonly #connection: RedisConnection;
  readonly #names: RedisNames;
  readonly #clock: Clock;
  readonly #coveredBySid: ExpiringMap<Covered>;
  /** Of the same: by what a message names a session. */
  readonly #sidByPublicId = new Map<string, string>();
  /** Whether a script may not touch a session and an index: a Cluster. */
  #isSplit: boolean;

  constructor(connection: RedisConnection, names: RedisNames, clock: Clock) {
    this.#connection = connection;
    this.#names = names;
    this.#clock = clock;
    this.#isSplit = connection.isCluster;
    this.#coveredBySid = new ExpiringMap(clock, {
      maxEntries: 100_000,
      onRemoved: (_sid, { publicId }) => this.#sidByPublicId.delete(publicId),
    });
  }

  /**
   * Calls `save` with what makes the session listed as long as it lives; without a user, or where it is known to be
   * listed, the session alone. `save` resolves to whether there is a session.
   */
  async cover(
    key: SessionKey,
    user: string | undefined,
    life: Life,
    save: (saving: Saving) => Promise<boolean>,
  ): Promise<boolean> {
    const session = { keys: [this.#names.session(key.sid)], args: [] };
    if (user === undefined || this.#isCovered(key.sid, user, life)) return save(session);
    if (this.#isSplit) {
      const entered = await this.#enterApart(key.sid, user, life);
      if (entered) this.#remember(key, user, entered.until);
      return save(session);
    }
    const { keys, args, until } = this.#entry(key.sid, user, life);
    try {
      const isThere = await save({ keys: [...session.keys, ...keys], args });
      if (isThere) this.#remember(key, user, until);
      return isThere;
    } catch (error) {
      // A server of a Cluster that the client takes for a single one: it refused, and has done nothing.
      if (!isOfCluster(error)) throw error;
      this.#isSplit = true;
      return this.cover(key, user, life, save);
    }
  }

  #isCovered(sid: string, user: string, life: Life): boolean {
    const known = this.#coveredBySid.get(sid);
    if (known?.user !== user) return false;
    return life === "keep" || known.until >= Math.min(leastDeadline(life) + marginMs, latest);
  }

  #remember({ sid, publicId }: SessionKey, user: string, until: number): void {
    this.#coveredBySid.set(sid, { publicId, user, until, expiresAt: this.#clock.now() + trustMs });
    this.#sidByPublicId.set(publicId, sid);
  }

  /** The script looks for a life time that is stored and stays, of which nothing is known here but that it is not over. */
  #entry(sid: string, user: string, life: Life) {
    const now = this.#clock.now();
    const deadline = life === "keep" ? now : leastDeadline(life);
    const slackMs = Math.max(leastSlackMs, deadline - now);
    return {
      keys: this.#names.index(user),
      args: [escaped(sid), String(now), String(slackMs)],
      until: Math.min(deadline + slackMs, latest),
    };
  }

  /** The entry alone; none where a session should be there already and is not. */
  async #enterApart(sid: string, user: string, life: Life): Promise<{ until: number } | undefined> {
    const now = this.#clock.now();
    const stored = typeof life === "number" ? life : await this.#storedDeadline(sid, now);
    if (stored === undefined) return undefined;
    const deadline = life === "keep" ? stored : Math.max(stored, leastDeadline(life));
    const { keys, args, until } = this.#entry(sid, user, deadline);
    await scripts.run(this.#connection, scripts.addScript, keys, [String(deadline - now), ...args]);
    return { until };
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

  /** Another node says so: what it took out of the index is not there, should the session come back. */
  heardEnded(publicIds: readonly string[]): void {
    for (const publicId of publicIds) {
      const sid = this.#sidByPublicId.get(publicId);
      if (sid !== undefined) this.forget(sid);
    }
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
      listed.push({ sid: unescaped(replyText(reply[at])), since: Number(replyText(reply[at + 1])) });
    }
    return listed;
  }

  /** Takes out entries whose session is gone, unless they are so young that it may be about to come. */
  async remove(user: string, gone: readonly Listed[]): Promise<void> {
    const settled = gone.filter(({ since }) => since <= this.#clock.now() - settledMs);
    for (const batch of batches(settled, 1000)) {
      const sids = batch.map(({ sid }) => sid);
      try {
        await this.#removeUnlessThere(user, sids);
      } catch (error) {
        if (!isOfCluster(error)) throw error;
        this.#isSplit = true;
        await this.#removeUnlessThere(user, sids);
      }
    }
  }

  /** One that is there again, made since it was found gone, stays listed. */
  async #removeUnlessThere(user: string, sids: readonly string[]): Promise<void> {
    const index = this.#names.index(user);
    const sessions = this.#isSplit ? [] : sids.map((sid) => this.#names.session(sid));
    await scripts.run(
      this.#connection,
      scripts.removeScript,
      [...index, ...sessions],
      sids.map((sid) => escaped(sid)),
    );
    if (this.#isSplit) await Promise.all(sids.map((sid) => this.#enterApart(sid, user, "keep")));
  }

  stop(): void {
    this.#coveredBySid.stop();
  }
}

function leastDeadline(life: Exclude<Life, "keep">): number {
  return typeof life === "number" ? life : life.atLeast;
}

function isOfCluster(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("CROSSSLOT");
}
