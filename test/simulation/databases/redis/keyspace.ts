/**
 * The keys of a simulated Redis: what the commands that the store sends do to them, at the server's own time. Each
 * method is named after its command.
 */
import type { Journal } from "../../world/journal.ts";
import { ReplyError } from "./reply.ts";

/** Values are never changed, but replaced: a failover sets them back. */
type Value =
  | { readonly type: "string"; readonly text: string }
  | { readonly type: "zset"; readonly scores: ReadonlyMap<string, number> }
  | { readonly type: "hash"; readonly fields: ReadonlyMap<string, string> };

interface Entry {
  readonly value: Value;
  /** Milliseconds since the epoch; absent if it does not end. */
  readonly endsAt: number | undefined;
}

/** Called for each event of a key, at the moment when it happens. */
export interface KeyspaceObserver {
  /** A text is stored. */
  stored(key: string, text: string, endsAt: number | undefined): void;
  /** The life of a text is set. */
  expires(key: string, endsAt: number): void;
  /** A text is removed by a command. */
  removed(key: string): void;
  /** A keyspace event, as Redis names it. */
  event(key: string, name: string): void;
}

export class Keyspace {
  readonly #entries: Journal<Entry>;
  readonly #now: () => number;
  readonly #observer: KeyspaceObserver;

  /** `now`: milliseconds since the epoch. */
  constructor(entries: Journal<Entry>, now: () => number, observer: KeyspaceObserver) {
    this.#entries = entries;
    this.#now = now;
    this.#observer = observer;
  }

  get keys(): string[] {
    return this.#entries.entries.flatMap(([key]) => (this.exists(key) ? [key] : []));
  }

  exists(key: string): boolean {
    return this.#entry(key) !== undefined;
  }

  get(key: string): string | undefined {
    return this.#valueOf(key, "string")?.text;
  }

  /** `life`: `PX` in milliseconds, or `KEEPTTL`. */
  set(key: string, text: string, life: number | "keep"): void {
    if (life !== "keep" && !(Number.isInteger(life) && life > 0)) {
      throw new ReplyError("ERR invalid expire time in 'set' command");
    }
    const endsAt = life === "keep" ? this.#entry(key)?.endsAt : this.#now() + life;
    this.#entries.set(key, { value: { type: "string", text }, endsAt });
    this.#observer.stored(key, text, endsAt);
    this.#observer.event(key, "set");
    if (life !== "keep") this.#observer.event(key, "expire");
  }

  /** -1 if it does not end, -2 if there is none. */
  pttl(key: string): number {
    const entry = this.#entry(key);
    if (!entry) return -2;
    return entry.endsAt === undefined ? -1 : entry.endsAt - this.#now();
  }

  pexpire(key: string, ms: number): boolean {
    if (!Number.isInteger(ms)) throw new ReplyError("ERR value is not an integer or out of range");
    const entry = this.#entry(key);
    if (!entry) return false;
    if (ms <= 0) return this.del(key);
    const endsAt = this.#now() + ms;
    this.#entries.set(key, { ...entry, endsAt });
    if (entry.value.type === "string") this.#observer.expires(key, endsAt);
    this.#observer.event(key, "expire");
    return true;
  }

  del(key: string): boolean {
    const entry = this.#entry(key);
    if (!entry) return false;
    this.#entries.delete(key);
    if (entry.value.type === "string") this.#observer.removed(key);
    this.#observer.event(key, "del");
    return true;
  }

  zscore(key: string, member: string): number | undefined {
    return this.#scores(key).get(member);
  }

  zadd(key: string, score: number, member: string): void {
    this.#put(key, { type: "zset", scores: new Map(this.#scores(key)).set(member, score) });
  }

  zrem(key: string, members: readonly string[]): void {
    const scores = new Map(this.#scores(key));
    for (const member of members) scores.delete(member);
    this.#putOrDelete(key, { type: "zset", scores }, scores.size);
  }

  /** All members, lowest score first. */
  zrange(key: string): { member: string; score: number }[] {
    const members = [...this.#scores(key)].map(([member, score]) => ({ member, score }));
    return members.sort((a, b) => a.score - b.score || (a.member < b.member ? -1 : 1));
  }

  hget(key: string, field: string): string | undefined {
    return this.#fields(key).get(field);
  }

  hsetnx(key: string, field: string, text: string): void {
    const fields = this.#fields(key);
    if (!fields.has(field)) this.#put(key, { type: "hash", fields: new Map(fields).set(field, text) });
  }

  hdel(key: string, names: readonly string[]): void {
    const fields = new Map(this.#fields(key));
    for (const name of names) fields.delete(name);
    this.#putOrDelete(key, { type: "hash", fields }, fields.size);
  }

  /** Removes a key whose time is over, as Redis does when a command meets it, or when it looks for such keys. */
  expire(key: string): void {
    const endsAt = this.#entries.get(key)?.endsAt;
    if (endsAt === undefined || endsAt >= this.#now()) return;
    this.#entries.delete(key);
    this.#observer.event(key, "expired");
  }

  #entry(key: string): Entry | undefined {
    this.expire(key);
    return this.#entries.get(key);
  }

  #scores(key: string): ReadonlyMap<string, number> {
    return this.#valueOf(key, "zset")?.scores ?? new Map();
  }

  #fields(key: string): ReadonlyMap<string, string> {
    return this.#valueOf(key, "hash")?.fields ?? new Map();
  }

  #valueOf<Type extends Value["type"]>(key: string, type: Type): Extract<Value, { type: Type }> | undefined {
    const value = this.#entry(key)?.value;
    if (!value) return undefined;
    if (isOfType(value, type)) return value;
    throw new ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value");
  }

  #put(key: string, value: Value): void {
    this.#entries.set(key, { value, endsAt: this.#entry(key)?.endsAt });
  }

  /** A set or a hash that has got empty is none. */
  #putOrDelete(key: string, value: Value, size: number): void {
    if (size > 0) this.#put(key, value);
    else this.del(key);
  }
}

function isOfType<Type extends Value["type"]>(
  value: Value,
  type: Type,
): value is Extract<Value, { type: Type }> {
  return value.type === type;
}

export type { Entry };
