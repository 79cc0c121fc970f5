/**
 * For the tests of an application: sign visitors in without going through its login, and decide what time it is.
 *
 * ```ts
 * const cookie = await signIn(sessions, { userId: "ada" });
 * const socket = io(url, { extraHeaders: { cookie } });
 * ```
 */

import type { AppData } from "./api.ts";
import { refuseCallback } from "./base/arguments.ts";
import { type InjectOptions, injectSession } from "./inject-session.ts";
import type { LiveSessions } from "./live-sessions.ts";

export type { InjectOptions };

/**
 * Stores a new session holding `data` and resolves to the `Cookie` header that a browser would send for it. Rejects with
 * `INVALID_OPTION` before it stores anything, `SESSION_INVALID_DATA`, `STORE_FAILED`, `STORE_TIMEOUT`, and with
 * `USER_SESSIONS_FULL` as a login would.
 */
export async function signIn(
  sessions: LiveSessions,
  data: AppData = {},
  options: InjectOptions = {},
  ...none: []
): Promise<string> {
  refuseCallback("signIn()", none);
  const { cookie } = await injectSession(sessions, data, options);
  return cookie;
}
