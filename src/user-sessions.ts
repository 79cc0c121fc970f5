import { checkPlainOptions, invalid, refuseCallback } from "./base/arguments.ts";
import { batches } from "./base/batches.ts";
import { SocketSessionError } from "./base/errors.ts";
import type { SessionValues } from "./data/fields.ts";
import { lifeMs } from "./data/life-time.ts";
import { type Snapshot, snapshotOf } from "./data/snapshot.ts";
import type { Hub } from "./live/hub.ts";
import type { ResolvedOptions } from "./options/options.ts";
import type { SessionKey, StoredSession } from "./session-store.ts";
import { userNamed } from "./user-ids.ts";

/** One session of a user, as in a page that lists where somebody is logged in. All times in milliseconds since the epoch. */
export interface ListedSession {
  readonly publicId: string;
  /** When it became this user's: the login. */
  readonly createdAt: number;
  /** The last activity, to within `touchIntervalMs`. */
  readonly lastSeenAt: number;
  /** When it ends unless somebody is active. */
  readonly expiresAt: number;
  /** What the `device` option makes of its data. */
  readonly device: unknown;
}

/** Which sessions of a user to end: all without options. */
export interface EndOptions {
  /** This one alone, wherever it is live or not; none if it is another user's, or over. */
  publicId?: string;
  /** All but this one. */
  exceptPublicId?: string;
}

interface UserSessionsContext {
  readonly hub: Hub;
  readonly nameOf: (sid: string) => SessionKey;
  readonly userId: (data: Readonly<SessionValues>) => string | undefined;
  readonly device: (data: Readonly<SessionValues>) => Promise<unknown>;
  readonly ttlMs: number;
}

/** The sessions of one user; throws `INVALID_OPTION` or `STORE_UNSUPPORTED` where they can't be found. */
export function userSessions(
  { store, userId, device, ttlMs }: ResolvedOptions,
  handles: Omit<UserSessionsContext, "device" | "ttlMs">,
  id: unknown,
): UserSessions {
  const user = userNamed(id);
  if (user === undefined) {
    const cure = "Ask for socket.session.userId first: it is undefined while nobody is logged in.";
    throw invalid(
      "sessions.user() expects a user as `userId` returns it, a string that is not empty or an exact number",
      id,
      cure,
    );
  }
  if (!userId) {
    const cure = "Tell whose session it is: userId: (data) => data.userId.";
    throw invalid("sessions.user() expects the `userId` option", userId, cure);
  }
  if (!store.listByUser) {
    const message = `sessions.user() needs a store with an index of users, and the ${store.name} store has none. Use one of this package.`;
    throw new SocketSessionError("STORE_UNSUPPORTED", message);
  }
  const deviceOf = async (data: Readonly<SessionValues>): Promise<unknown> => {
    try {
      return await device?.(data);
    } catch (cause) {
      const message = "The `device` option threw; the session is listed without its device.";
      handles.hub.report(new SocketSessionError("LISTENER_FAILED", message, { cause }));
      return undefined;
    }
  };
  return new UserSessions({ ...handles, device: deviceOf, ttlMs }, user);
}

/** How many sessions are ended at the same time. */
const maxAtOnce = 50;

/** All sessions of one user, on all nodes, live or not. By the store's index, each compared with what is stored. */
export class UserSessions {
  readonly #context: UserSessionsContext;
  readonly #user: string;

  constructor(context: UserSessionsContext, user: string) {
    this.#context = context;
    this.#user = user;
  }

  /** Newest first; without those that can't be read. Rejects with `STORE_FAILED`, `STORE_TIMEOUT`. */
  async list(...none: []): Promise<ListedSession[]> {
    refuseCallback("sessions.user(id).list()", none);
    const found = await this.#found();
    const readable = found.flatMap(({ key, since, snapshot }) =>
      snapshot ? [{ key, since, snapshot }] : [],
    );
    const listed = await Promise.all(readable.map((one) => this.#listed(one)));
    return listed.sort((a, b) => b.createdAt - a.createdAt);
  }

  /**
   * Ends all sessions of the user, as `revoked`; with `publicId` that one alone, with `exceptPublicId` all but that one,
   * such as that of the request that asks. Those that can't be read are ended as well. Resolves to how many it ended.
   * Sessions that log in while it runs are not among them. Rejects with `INVALID_OPTION` before it ends any; with
   * `STORE_FAILED` or `STORE_TIMEOUT` if one could not be ended, after it has tried all others.
   */
  async end(options: EndOptions = {}, ...none: []): Promise<number> {
    const isMeant = selectionOf(options, none);
    const { hub } = this.#context;
    const keys = (await this.#found()).map(({ key }) => key).filter(isMeant);
    let ended = 0;
    const failures: unknown[] = [];
    for (const some of batches(keys, maxAtOnce)) {
      for (const outcome of await Promise.allSettled(some.map((key) => hub.end(key, "revoked")))) {
        if (outcome.status === "rejected") failures.push(outcome.reason);
        else if (outcome.value) ended++;
      }
    }
    if (failures.length > 0) throw failures[0];
    return ended;
  }

  /** The index may list a session that has another user by now, or none. */
  async #found(): Promise<Found[]> {
    const { hub, nameOf, userId } = this.#context;
    const listed = await hub.store.listByUser(this.#user);
    return listed
      .map(({ sid, since, stored }) => ({ key: nameOf(sid), since, snapshot: readable(stored) }))
      .filter(({ snapshot }) => !snapshot || userId(snapshot.data) === this.#user);
  }

  async #listed({ key, since, snapshot }: Found & { readonly snapshot: Snapshot }): Promise<ListedSession> {
    const { hub, device, ttlMs } = this.#context;
    const { expiresAt, cookie, data } = snapshot;
    const seen = Math.max(expiresAt - lifeMs(cookie, ttlMs), since);
    return {
      publicId: key.publicId,
      createdAt: since,
      lastSeenAt: Math.min(seen, hub.clock.now()),
      expiresAt,
      device: await device(data),
    };
  }
}

interface Found {
  readonly key: SessionKey;
  readonly since: number;
  /** Null where it can't be read. */
  readonly snapshot: Snapshot | null;
}

/** One session that holds what JSON can't must not keep the others from being listed and ended. */
function readable(stored: StoredSession | null): Snapshot | null {
  try {
    return stored && snapshotOf(stored);
  } catch {
    return null;
  }
}

/** What names no session would end them all: an option without a value, or one that is not the object's own. */
function selectionOf(options: EndOptions, rest: readonly unknown[]): (key: SessionKey) => boolean {
  const method = "sessions.user(id).end()";
  refuseCallback(method, rest);
  if (rest.length > 0) {
    const cure = "Write { publicId } or { exceptPublicId } alone, or nothing for all.";
    throw invalid(`${method} expects one argument, its options`, rest[0], cure);
  }
  checkPlainOptions(method, options, ["publicId", "exceptPublicId"]);
  const [[name, value] = ["", undefined], another] = Object.entries(options);
  if (another) {
    const message = `${method} expects one of \`publicId\` and \`exceptPublicId\`; it was given both. Leave one out.`;
    throw new SocketSessionError("INVALID_OPTION", message);
  }
  if (name === "") return () => true;
  if (typeof value !== "string" || value === "") {
    const cure = `Leave ${name} out to end all sessions of the user.`;
    throw invalid(`${method} expects the \`${name}\` of a session, a string that is not empty`, value, cure);
  }
  return ({ publicIds }) => publicIds.includes(value) === (name === "publicId");
}
