import { checkPlainOptions, invalid, refuseCallback } from "./base/arguments.ts";
import { SocketSessionError } from "./base/errors.ts";
import type { SessionValues } from "./data/fields.ts";
import { lifeMs } from "./data/life-time.ts";
import type { Snapshot } from "./data/snapshot.ts";
import type { Hub } from "./live/hub.ts";
import type { ResolvedOptions } from "./options/options.ts";
import { countSockets, type SocketCount } from "./session/count-sockets.ts";
import { endMany } from "./session/end-many.ts";
import { endSessionOptionsOf } from "./session/end-options.ts";
import { type EndReceipt, endWithReceipt, nothingToEnd } from "./session/end-receipt.ts";
import { type SessionOfUser, sessionsOfUser } from "./session/sessions-of-user.ts";
import type { SessionKey } from "./session-store.ts";
import { userNamed } from "./user-ids.ts";

/** One session of a user, as a page of logged-in devices lists it. All times in milliseconds since the epoch. */
export interface ListedSession {
  readonly publicId: string;
  /** When it became this user's: at the login. */
  readonly createdAt: number;
  /**
   * The last activity, accurate to `touchIntervalMs`. Once activity no longer moves the deadline, because of `absoluteMs`, the
   * time since which it does not.
   */
  readonly lastSeenAt: number;
  /** When it ends without further activity. */
  readonly expiresAt: number;
  /** The result of the `device` option for its data. */
  readonly device: unknown;
}

/** The options of `list()`. */
export interface ListOptions {
  /** Ask all nodes how many sockets each session has, which takes a round trip, and a second at most. Default: false. */
  sockets?: boolean;
}

/** A listed session with its sockets. */
export interface CountedSession extends ListedSession {
  readonly sockets: SocketCount;
}

/** Which sessions of a user to end; without options, all. */
export interface EndOptions {
  /** Only this one, on whatever node it is live; none if it is another user's, or over. */
  publicId?: string;
  /** All but this one. */
  exceptPublicId?: string;
  /** Words for the pages: 1 to 200 characters. */
  message?: string;
  /** With `publicId` alone: resolve to a receipt, as `sessions.end()` does. Default: false. */
  receipt?: boolean;
}

interface UserSessionsContext {
  readonly hub: Hub;
  readonly nameOf: (sid: string) => SessionKey;
  readonly userId: (data: Readonly<SessionValues>) => string | undefined;
  readonly device: (data: Readonly<SessionValues>) => Promise<unknown>;
  readonly ttlMs: number;
}

/** The sessions of one user. Throws `INVALID_OPTION` or `STORE_UNSUPPORTED` if they can't be found. */
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

/**
 * All sessions of one user, on all nodes, live or not. Found by the store's index, and checked against the stored data.
 */
export class UserSessions {
  readonly #context: UserSessionsContext;
  readonly #user: string;

  constructor(context: UserSessionsContext, user: string) {
    this.#context = context;
    this.#user = user;
  }

  /**
   * Newest first, without sessions that can't be read. With `sockets: true`, each with its number of sockets on this node and
   * on others. Rejects with `INVALID_OPTION`, `STORE_FAILED`, `STORE_TIMEOUT`.
   */
  list(options: ListOptions & { sockets: true }, ...none: []): Promise<CountedSession[]>;
  list(options?: ListOptions & { sockets?: false }, ...none: []): Promise<ListedSession[]>;
  async list(options: ListOptions = {}, ...none: []): Promise<ListedSession[]> {
    const withSockets = countsSockets(options, none);
    const found = await sessionsOfUser(this.#context, this.#user);
    const readable = found.flatMap(({ key, since, snapshot }) =>
      snapshot ? [{ key, since, snapshot }] : [],
    );
    const keys = readable.map(({ key }) => key);
    const [listed, counts] = await Promise.all([
      Promise.all(readable.map((one) => this.#listed(one))),
      withSockets ? countSockets(this.#context.hub.nodes, keys) : [],
    ]);
    const counted = listed.map((one, index) => ({
      ...one,
      ...(counts[index] && { sockets: counts[index] }),
    }));
    return counted.sort((a, b) => b.createdAt - a.createdAt);
  }

  /**
   * Ends all sessions of the user, as `revoked`; with `publicId` only that one, with `exceptPublicId` all but that one,
   * such as the current request's. Sessions that can't be read are ended as well. Resolves to the number of ended
   * sessions. Does not include logins that happen while it runs. Rejects with `INVALID_OPTION` before it ends any; with
   * `STORE_FAILED` or `STORE_TIMEOUT` if one could not be ended, after it has tried all others.
   *
   * With `publicId` and `receipt: true`, resolves to the receipt of `sessions.end()`, wherever the session is live.
   */
  end(options: EndOptions & { publicId: string; receipt: true }, ...none: []): Promise<EndReceipt>;
  end(options?: EndOptions & { receipt?: false }, ...none: []): Promise<number>;
  async end(options: EndOptions = {}, ...none: []): Promise<number | EndReceipt> {
    const { isMeant, receipt, ...words } = selectionOf(options, none);
    const { hub } = this.#context;
    const found = await sessionsOfUser(this.#context, this.#user);
    const keys = found.map(({ key }) => key).filter(isMeant);
    const actor = { by: "application", userId: this.#user } as const;
    if (!receipt) return endMany(keys, (key) => hub.actors.run(actor, () => hub.end(key, "revoked", words)));
    const [key] = keys;
    return key ? hub.actors.run(actor, () => endWithReceipt(hub, key, words)) : nothingToEnd;
  }

  async #listed({
    key,
    since,
    snapshot,
  }: SessionOfUser & { readonly snapshot: Snapshot }): Promise<ListedSession> {
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

function countsSockets(options: ListOptions, rest: readonly unknown[]): boolean {
  const method = "sessions.user(id).list()";
  refuseCallback(method, [options, ...rest]);
  checkPlainOptions(method, options, ["sockets"]);
  const { sockets = false } = options;
  if (typeof sockets === "boolean") return sockets;
  throw invalid(`${method} expects \`sockets\` to be true or false`, sockets, "Leave it out to count none.");
}

/** Refuses a selection that would silently end all sessions: an option without a value, or one that is inherited. */
function selectionOf(given: EndOptions, rest: readonly unknown[]) {
  const method = "sessions.user(id).end()";
  refuseCallback(method, rest);
  if (rest.length > 0) {
    const cure = "Write { publicId } or { exceptPublicId } alone, or nothing for all.";
    throw invalid(`${method} expects one argument, its options`, rest[0], cure);
  }
  const options: unknown = given;
  checkPlainOptions(method, options, ["publicId", "exceptPublicId", "message", "receipt"]);
  const { message, receipt = false, ...selection } = given;
  const words = endSessionOptionsOf(method, { ...(message !== undefined && { message }), receipt });
  const [[name, value] = ["", undefined], another] = Object.entries(selection);
  if (another) {
    const message = `${method} expects one of \`publicId\` and \`exceptPublicId\`; it was given both. Leave one out.`;
    throw new SocketSessionError("INVALID_OPTION", message);
  }
  if (receipt && name !== "publicId") {
    const cure = "Leave `receipt` out, or name the one session by its `publicId`.";
    throw invalid(`${method} with \`receipt\` expects a \`publicId\``, selection, cure);
  }
  if (name === "") return { ...words, isMeant: () => true };
  if (typeof value !== "string" || value === "") {
    const cure = `Leave ${name} out to end all sessions of the user.`;
    throw invalid(`${method} expects the \`${name}\` of a session, a string that is not empty`, value, cure);
  }
  const isMeant = ({ publicIds }: SessionKey) => publicIds.includes(value) === (name === "publicId");
  return { ...words, isMeant };
}
