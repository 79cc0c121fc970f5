/**
 * How the Redis store names its keys and its channel. A session's key is connect-redis's: the prefix and the id.
 *
 * ```ts
 * const names = new RedisNames("sess:");
 * names.session("abc"); // "sess:abc"
 * names.sidOf("sess:abc"); // "abc"
 * ```
 */
import { createHash } from "node:crypto";
import { escaped, unescaped } from "../common/ids.ts";

const ours = "socket-session:";

export class RedisNames {
  readonly #prefix: string;
  /** What the keys of indexes and of tickets begin with. */
  readonly #others: readonly [users: string, tickets: string];
  /** Where changes are published. */
  readonly channel: string;
  /** A glob that matches the keys of all sessions. */
  readonly sessions: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    const own = ours + withoutBraces(prefix);
    this.#others = [`${own}user:{`, `${own}ticket:`];
    this.channel = `${ours}${prefix}`;
    this.sessions = `${escapeGlob(prefix)}*`;
  }

  session(sid: string): string {
    return this.#prefix + escaped(sid);
  }

  /** The id of a key that matches `sessions`; undefined for another key of ours, which a short prefix also matches. */
  sidOf(key: string): string | undefined {
    if (!key.startsWith(this.#prefix) || this.#others.some((other) => key.startsWith(other)))
      return undefined;
    return unescaped(key.slice(this.#prefix.length));
  }

  /** Both keys of the index of a user, in one slot of a Cluster. The hash tag must be the only one. */
  index(user: string): readonly [expires: string, since: string] {
    const hash = createHash("sha256").update(`${this.#prefix}\0`).update(user, "utf16le").digest("base64url");
    const name = `${this.#others[0]}${hash}}`;
    return [`${name}:expires`, `${name}:since`];
  }

  /** Without a hash tag, so that a Cluster spreads tickets over its servers. */
  ticket(id: string): string {
    return this.#others[1] + id;
  }
}

/** A brace would begin a hash tag of its own. */
function withoutBraces(prefix: string): string {
  return prefix.replaceAll("{", "%7B").replaceAll("}", "%7D");
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, "\\$&");
}
