/**
 * The index of each user's sessions: a sorted set of session ids by when the entry is over, and a hash of when each
 * became the user's. Both keys go by themselves when the last entry is over.
 *
 * An entry is written by the script that writes the session, in one step. In a Cluster, where the two may be in different
 * slots, it is written before, so that no crash leaves a session unlisted. It outlasts the session's deadline by a life
 * time (a day at least).
 *
 * ```ts
 * await users.cover({ sid, user: "ada", life: expiresAt }, ({ keys, args }) => create(keys, [text, lifeTime, channel, ...args]));
 * ```
 */

import { batches } from "../../base/batches.ts";
import type { Clock } from "../../base/clock.ts";
import { ExpiringMap } from "../../base/expiring-map.ts";
import { escaped, unescaped } from "../common/ids.ts";
import { latest, type RedisConnection, replyList, replyText } from "./connection.ts";
import type { RedisNames } from "./keys.ts";
import * as scripts from "./scripts.ts";

const minSlackMs = 86_400_000;
/** In a Cluster: how long a save takes an entry for granted, which a failover may lose. */
const trustMs = 600_000;
/** In a Cluster an entry comes before its session; older ones without a session are of no use. */
const settledMs = 60_000;

export interface Listed {
  readonly sid: string;
  readonly since: number;
}

/** A session that is about to be written. */
export interface Written {
  readonly sid: string;
  readonly user: string | undefined;
  readonly life: Life;
  /**
   * Whether a Cluster may take the entry for granted that this process wrote a while ago. Not where the session is new: the
   * entry may have been taken out since, with the one before it.
   */
  readonly trusts?: boolean;
}

/** How long a write lets a session live: until then, as long as it does already, or the longer of both. */
type Life = number | "keep" | { readonly atLeast: number };

/** The KEYS of a script that writes a session, and the last of its ARGV: with an entry of the index, or without. */
export interface Saving {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

interface Entered {
  readonly user: string;
  readonly until: number;
  readonly expiresAt: number;
}

export class RedisUsers {
  readonly #connection: RedisConnection;
  readonly #names: RedisNames;
  readonly #clock: Clock;
  /** In a Cluster, the entries that this process wrote lately: else each save would take a round trip more. */
  readonly #enteredBySid: ExpiringMap<Entered>;
  /** Whether a script may not touch a session and an index: a Cluster. */
  #isSplit: boolean;

  constructor(connection: RedisConnection, names: RedisNames, clock: Clock) {
    this.#connection = connection;
    this.#names = names;
    this.#clock = clock;
    this.#isSplit = connection.isCluster;
    this.#enteredBySid = new ExpiringMap(clock, { maxEntries: 100_000 });
  }

  /** Calls `save` with what makes the session listed as long as it lives; without a user, the session alone. */
  async cover<T>(written: Written, save: (saving: Saving) => Promise<T>): Promise<T> {
    const { sid, user, life } = written;
    const session = { keys: [this.#names.session(sid)], args: [] };
    if (user === undefined) return save(session);
    if (!this.#isSplit) {
      const { keys, args } = this.#entry(sid, user, life);
      try {
        return await save({ keys: [...session.keys, ...keys], args });
      } catch (error) {
        // A server of a Cluster that the client takes for a single one: it refused, and has done nothing.
        if (!isOfCluster(error)) throw error;
        this.#isSplit = true;
      }
    }
    if (!(written.trusts && this.#isEntered(sid, user, life))) await this.#enterApart(sid, user, life);
    return save(session);
  }

  #isEntered(sid: string, user: string, life: Life): boolean {
    const entered = this.#enteredBySid.get(sid);
    if (entered?.user !== user) return false;
    return life === "keep" || entered.until >= Math.min(minDeadline(life) + scripts.marginMs, latest);
  }

  /** The script looks for a life time that is stored and stays, of which nothing is known here but that it is not over. */
  #entry(sid: string, user: string, life: Life) {
    const now = this.#clock.now();
    const deadline = life === "keep" ? now : minDeadline(life);
    const slackMs = Math.max(minSlackMs, deadline - now);
    return {
      keys: this.#names.index(user),
      args: [escaped(sid), String(now), String(slackMs)],
      until: Math.min(deadline + slackMs, latest),
    };
  }

  /** The entry alone; none where a session should be there already and is not. */
  async #enterApart(sid: string, user: string, life: Life): Promise<void> {
    const now = this.#clock.now();
    const stored = typeof life === "number" ? life : await this.#storedDeadline(sid, now);
    if (stored === undefined) return;
    const deadline = life === "keep" ? stored : Math.max(stored, minDeadline(life));
    const { keys, args, until } = this.#entry(sid, user, deadline);
    await scripts.run(this.#connection, scripts.addScript, keys, [String(deadline - now), ...args]);
    this.#enteredBySid.set(sid, { user, until, expiresAt: now + trustMs });
  }

  /** Undefined if there is no session, which then will not be written either. */
  async #storedDeadline(sid: string, now: number): Promise<number | undefined> {
    const key = this.#names.session(sid);
    const leftMs = Number(replyText(await this.#connection.send(key, ["PTTL", key])));
    if (leftMs === -2) return undefined;
    return leftMs === -1 ? latest : now + leftMs;
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
    this.#enteredBySid.stop();
  }
}

function minDeadline(life: Exclude<Life, "keep">): number {
  return typeof life === "number" ? life : life.atLeast;
}

function isOfCluster(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("CROSSSLOT");
}
