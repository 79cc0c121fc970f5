/**
 * Ids and users as keys of PostgreSQL's tables. An id is listed, and so has to be kept whole; a user is only looked for,
 * and may be a hash. Both together fit into the index on users and sessions: into the third of a page, 2704 bytes, that an
 * entry may take.
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

/** Of whatever length, as the other package may have written it. */
export function storedSid(sid: string): string {
  return escaped(sid, nul);
}

/** Of a session that is new, or to be listed. Throws `STORE_FAILED` where no index takes it. */
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
