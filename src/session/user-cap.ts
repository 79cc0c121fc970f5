/**
 * `sessionsPerUser`: at each login, once it is stored, ends the sessions that its user has beyond the cap.
 *
 * All nodes put the sessions of a user into one order: by the time since when each is the user's, then by id. Of this order the
 * cap keeps the first with "refuse" (the oldest), the last with "endOldest". Concurrent logins need no lock for that:
 *
 * - A check ends none that the cap keeps. It may have found a part of the sessions only, but whatever is beyond the cap in
 *   a part is also beyond it in the whole: as many others come before it (or after it).
 * - The check of the login that was stored last finds all sessions, and ends all that are beyond the cap.
 */
import { isOwn, LoginUndone } from "../base/errors.ts";
import type { Hub } from "../live/hub.ts";
import type { SessionKey } from "../session-store.ts";
import { endMany } from "./end-many.ts";
import { sessionsOfUser, type UserIndex } from "./sessions-of-user.ts";

/** How many sessions a user may have at the same time (OWASP ASVS 7.1.2), and what happens at a login beyond that. */
export interface SessionsPerUser {
  /** 1 or more. */
  readonly max: number;
  /**
   * `"endOldest"`: the session ends that has been the user's for longest. `"refuse"`: the login is undone, so the first to log in,
   * such as a thief of the password, may lock the user out.
   */
  readonly whenFull: "refuse" | "endOldest";
}

export class UserCap {
  readonly #cap: SessionsPerUser;
  readonly #index: UserIndex;
  readonly #hub: Pick<Hub, "actors" | "end" | "report">;

  constructor(cap: SessionsPerUser, index: UserIndex & { readonly hub: Hub }) {
    this.#cap = cap;
    this.#index = index;
    this.#hub = index.hub;
  }

  /**
   * To be called once it is stored that `login` is a session of `user`, without the session's lock. Rejects with `LoginUndone`
   * if the login is refused, or could not be checked. With "endOldest" it never rejects: a failure is reported.
   */
  async check(login: SessionKey, user: string): Promise<void> {
    const { max, whenFull } = this.#cap;
    const isRefusing = whenFull === "refuse";
    let found: readonly SessionKey[];
    try {
      found = await this.#found(user);
    } catch (cause) {
      if (!isRefusing) return this.#hub.report(cause);
      await this.#end([login], user);
      throw uncheckedError(cause);
    }
    const kept = isRefusing ? found.slice(0, max) : found.slice(-max);
    const beyond = isRefusing ? found.slice(max) : found.slice(0, -max);
    await this.#end(beyond, user);
    // Another node's check may have ended it already, so that it is not found.
    const isIn = kept.length < max || kept.some(({ sid }) => sid === login.sid);
    if (isRefusing && !isIn) throw fullError(max);
  }

  /** Without sessions that can't be read: with them no visitor is let in. */
  async #found(user: string): Promise<readonly SessionKey[]> {
    const found = await sessionsOfUser(this.#index, user);
    const usable = found.filter(({ snapshot }) => snapshot !== null);
    // by the secret id, as nodes may differ in the public one while secrets rotate
    usable.sort((a, b) => a.since - b.since || (a.key.sid < b.key.sid ? -1 : 1));
    return usable.map(({ key }) => key);
  }

  /** What can't be ended now is ended at the user's next login. */
  async #end(keys: readonly SessionKey[], userId: string): Promise<void> {
    const { actors } = this.#hub;
    const actor = { ...actors.current, userId };
    try {
      await endMany(keys, (key) => actors.run(actor, () => this.#hub.end(key, "displaced")));
    } catch (error) {
      this.#hub.report(error);
    }
  }
}

function fullError(max: number): LoginUndone {
  const message = `The user has ${max} session${max === 1 ? "" : "s"}, as many as \`sessionsPerUser\` allows, so this login was undone. Have them log out elsewhere, end their sessions by sessions.user(id).end(), or set whenFull: "endOldest".`;
  return new LoginUndone("USER_SESSIONS_FULL", message);
}

function uncheckedError(cause: unknown): LoginUndone {
  const message =
    "The sessions of the user could not be counted, which `sessionsPerUser` requires, so this login was undone. See its cause.";
  return new LoginUndone(isOwn(cause) ? cause.code : "STORE_FAILED", message, { cause });
}
