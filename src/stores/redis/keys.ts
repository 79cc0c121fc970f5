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
  /** Where changes are published. */
  readonly channel: string;
  /** A glob that matches the keys of all sessions. */
  readonly sessions: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.channel = `${ours}${prefix}`;
    this.sessions = `${escapeGlob(prefix)}*`;
  }

  session(sid: string): string {
    return this.#prefix + escaped(sid);
  }

  /** The id of a key that matches `sessions`; undefined for the key of an index, which a short prefix also matches. */
  sidOf(key: string): string | undefined {
    if (!key.startsWith(this.#prefix) || key.startsWith(`${ours}${withoutBraces(this.#prefix)}user:{`))
      return undefined;
    return unescaped(key.slice(this.#prefix.length));
  }

  /** Both keys of the index of a user, in one slot of a Cluster. The hash tag must be the only one. */
  index(user: string): readonly [expires: string, since: string] {
    const hash = createHash("sha256").update(`${this.#prefix}\0`).update(user, "utf16le").digest("base64url");
    const name = `${ours}${withoutBraces(this.#prefix)}user:{${hash}}`;
    return [`${name}:expires`, `${name}:since`];
  }
}

/** A brace would begin a hash tag of its own. */
function withoutBraces(prefix: string): string {
  return prefix.replaceAll("{", "%7B").replaceAll("}", "%7D");
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, "\\$&");
}
