/**
 * The index of each user's sessions: a sorted set of session ids, ordered by the expiry of the entry, and a hash of when
 * each became the user's. Both keys expire with their last entry.
 *
 * The script that writes a session also writes its entry, in one atomic step. In a Cluster, where the two may be in
 * different slots, the entry is written first, so that no crash leaves a session unlisted. It outlasts the session's
 * deadline by a life time (at least a day).
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
/** In a Cluster: how long a save trusts an entry to exist, which a failover may lose. */
const trustMs = 600_000;
/** In a Cluster an entry is written before its session. Older entries without a session are stale. */
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
   * Whether, in a Cluster, an entry that this process wrote a while ago may be trusted to exist. Not for a new session: the
   * entry may have been removed since, with a previous session.
   */
  readonly trusts?: boolean;
  /** Whether `since` starts now, even if there is an entry. */
  readonly isNewUser?: boolean;
}

/** How long a session lives after a write: until a time, as before, or at least until a time. */
type Life = number | "keep" | { readonly atLeast: number };

/** The KEYS of a script that writes a session, and the last of its ARGV, with or without an entry of the index. */
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
  /** In a Cluster, the entries that this process wrote recently: each save would take another round trip otherwise. */
  readonly #enteredBySid: ExpiringMap<Entered>;
  /** Whether no script can access both a session and an index: in a Cluster. */
  #isSplit: boolean;

  constructor(connection: RedisConnection, names: RedisNames, clock: Clock) {
    this.#connection = connection;
    this.#names = names;
    this.#clock = clock;
    this.#isSplit = connection.isCluster;
    this.#enteredBySid = new ExpiringMap(clock, { maxEntries: 100_000 });
  }

  /** Calls `save` so that the session is listed as long as it lives. Without a user it is not listed. */
  cover<T>(written: Written, save: (saving: Saving) => Promise<T>): Promise<T> {
    const session = { keys: [this.#names.session(written.sid)], args: [] };
    return written.user === undefined ? save(session) : this.#coverOf(written.user, written, session, save);
  }

  async #coverOf<T>(
    user: string,
    { sid, life, isNewUser, trusts }: Written,
    session: Saving,
    save: (saving: Saving) => Promise<T>,
  ): Promise<T> {
    if (!this.#isSplit) {
      const { keys, args } = this.#entry(sid, user, life, isNewUser);
      try {
        return await save({ keys: [...session.keys, ...keys], args });
      } catch (error) {
        // The client treats a server of a Cluster as a single server. The server refused, and did nothing.
        if (!isOfCluster(error)) throw error;
        this.#isSplit = true;
      }
    }
    if (!(trusts && this.#isEntered(sid, user, life))) await this.#enterApart(sid, user, life, isNewUser);
    return save(session);
  }

  #isEntered(sid: string, user: string, life: Life): boolean {
    const entered = this.#enteredBySid.get(sid);
    if (entered?.user !== user) return false;
    return life === "keep" || entered.until >= Math.min(minDeadline(life) + scripts.marginMs, latest);
  }

  /** For `"keep"` the script reads the stored life time; here it is only known not to have passed. */
  #entry(sid: string, user: string, life: Life, isNewUser = false) {
    const now = this.#clock.now();
    const deadline = life === "keep" ? now : minDeadline(life);
    const slackMs = Math.max(minSlackMs, deadline - now);
    return {
      keys: this.#names.index(user),
      args: [escaped(sid), String(now), String(slackMs), isNewUser ? "new" : ""],
      until: Math.min(deadline + slackMs, latest),
    };
  }

  /** Writes the entry alone; not if a session that should exist already does not. */
  async #enterApart(sid: string, user: string, life: Life, isNewUser = false): Promise<void> {
    const now = this.#clock.now();
    const stored = typeof life === "number" ? life : await this.#storedDeadline(sid, now);
    if (stored === undefined) return;
    const deadline = life === "keep" ? stored : Math.max(stored, minDeadline(life));
    const { keys, args, until } = this.#entry(sid, user, deadline, isNewUser);
    await scripts.run(this.#connection, scripts.addScript, keys, [String(deadline - now), ...args]);
    this.#enteredBySid.set(sid, { user, until, expiresAt: now + trustMs });
  }

  /** Undefined if there is no session: the write then does nothing. */
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

  /** Removes entries whose session is gone, except recent ones, whose session may not be written yet. */
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

  /** A session that was created after it was found gone stays listed. */
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
