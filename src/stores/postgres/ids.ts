/**
 * Converts ids and users to keys of PostgreSQL's tables. An id is listed, so it is kept whole; a user is only looked up,
 * and may be hashed. Both together fit into an entry of the index on users and sessions, which may take a third of a page,
 * 2704 bytes.
 *
 * ```ts
 * storedSid("abc"); // "abc"
 * storedUser("u".repeat(81)); // "~sha256~…"
 * ```
 */
import { SocketSessionError } from "../../base/errors.ts";
import { escaped, hashedIfLonger, nul } from "../common/ids.ts";

const maxSidBytes = 2_600;
const maxUserBytes = 80;

/** Accepts any length, since connect-pg-simple may have written the id. */
export function storedSid(sid: string): string {
  return escaped(sid, nul);
}

/** For a session that is new or has to be listed. Throws `STORE_FAILED` if the id is too long for an index. */
export function indexedSid(sid: string): string {
  const stored = storedSid(sid);
  const bytes = Buffer.byteLength(stored);
  if (bytes <= maxSidBytes) return stored;
  throw new SocketSessionError(
    "STORE_FAILED",
    `postgresStore expected the id of a session to take at most ${maxSidBytes} bytes, as PostgreSQL can index no ` +
      `more, but it takes ${bytes}. Let \`genid\` of express-session make shorter ones.`,
  );
}

export function storedUser(user: string): string {
  return hashedIfLonger(user, maxUserBytes);
}
