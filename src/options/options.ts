import type { Store } from "express-session";
import type { AppData, DeepReadonly } from "../api.ts";
import { checkOptions, clockOf, invalid, invalidChoice, milliseconds } from "../base/arguments.ts";
import type { Clock } from "../base/clock.ts";
import { maxLifeMs } from "../data/life-time.ts";
import type { Secret } from "../data/session-key.ts";
import type { SessionsPerUser } from "../session/user-cap.ts";
import type { SessionStore } from "../session-store.ts";
import { type OriginsOption, originsOf } from "../socket/allowed-origins.ts";
import { type Exemption, exemptionsOf } from "../socket/exempt.ts";
import type { AttachOptions } from "../socket/open-gateway.ts";
import type { Origins } from "../socket/origin.ts";
import type { MaxUnproven } from "../socket/unproven-limit.ts";
import { isExpressStore, isOurStore, noStore } from "../stores/common/given-store.ts";
import { fromExpressStore } from "../stores/express/store.ts";
import { curesOfUnknown, type SharedOptions, sharedOptionsOf } from "./express-options.ts";
import {
  absoluteMsOf,
  maxSessionBytesOf,
  maxUnprovenOf,
  sessionsPerUserOf,
  socketsPerSessionOf,
} from "./limits.ts";
import { nodeNameOf } from "./node-name.ts";
import { secretsOf } from "./secrets.ts";

export interface LiveSessionsOptions extends SharedOptions {
  /** A store of this package, or any `express-session` store unchanged. */
  store: SessionStore | Store;
  /** As in `express-session`: the first signs, all verify. Required, as sockets verify cookies themselves. */
  secret: Secret | readonly Secret[];
  /** The old alias of `name`. */
  key?: string;
  /** Always false: an unchanged session is never written back. `true` is refused. */
  resave?: false;
  /**
   * The user of the session: a string or a number (1 and "1" are one user); undefined, null or "" if no user is logged
   * in. Anything else, such as an object or a promise, is reported once, and the session then has no user.
   */
  userId?: (data: DeepReadonly<AppData>) => string | number | null | undefined;
  /**
   * Sockets without a stored session are refused (default), or allowed as guests. With `"create"` a guest gets a new
   * session, and its cookie with the handshake; what the guest writes first stores it.
   */
  guests?: "refuse" | "allow" | "create";
  /**
   * Origins whose pages may connect in addition to the server's own, as browsers write them: `https://app.example`. Or
   * a function that is called for each other origin, and returns `true`, or a promise of it, for those that may.
   */
  origins?: OriginsOption;
  /** Describes the device of a session for `sessions.user(id).list()`, such as from data that the login stored. */
  device?: (data: DeepReadonly<AppData>) => unknown;
  /** How long a session without a `cookie.maxAge` lives after its last activity. Default: the store's, or one day. */
  ttlMs?: number;
  /**
   * How long a session lives at most since it was stored under its id, whatever its activity: a login and `regenerate`
   * give it a new one (OWASP ASVS 7.3.2). Default: no limit.
   */
  absoluteMs?: number;
  /**
   * Whether other processes use a wrapped `express-session` store as well. Default: true. If false, a session ends at
   * its deadline even if the store still returns it.
   */
  sharedStore?: boolean;
  /** Activity extends a stored session at most this often. Default: a minute; never more than a tenth of its life. */
  touchIntervalMs?: number;
  /** How often live sessions are read again while the store's feed is cut, or if it has none. Default: 30 s. */
  revalidateIntervalMs?: number;
  /**
   * How old a snapshot may be that sockets are served from while the store can't be read and its feed is silent. After
   * that they are closed, and reconnect by themselves. Default: twice `revalidateIntervalMs`, at least 10 s.
   */
  staleMs?: number;
  /** How long a function given to `update` may take. Default: 10 s. */
  updateTimeoutMs?: number;
  /** How long one operation of the store may take. Default: 10 s. */
  storeTimeoutMs?: number;
  /** The largest session, in bytes of JSON as written. Default: 1 MiB. */
  maxSessionBytes?: number;
  /**
   * How long sockets of a session with a new id stay connected, silent, until the response has arrived. Default: 2 s.
   */
  rebindMs?: number;
  /** How long a ticket can be redeemed. Default: 30 s. */
  ticketMs?: number;
  /** How long a connection may stay open that has proven no session. Default: 10 s. */
  unprovenMs?: number;
  /**
   * How many connections may be open that have proven no session: one more closes the oldest. Those in use for exempt
   * namespaces don't count. Default: 1,000 in all, and 100 for each address (in IPv6, for each network of 64 bits).
   */
  maxUnproven?: { all?: number; perAddress?: number };
  /**
   * How many sessions a user may have at the same time, on all nodes (OWASP ASVS 7.1.2): at one login more that login is
   * undone (`whenFull: "refuse"`), or the oldest session ends (`"endOldest"`). Needs `userId`, and a store of this package.
   * Default: no limit.
   */
  sessionsPerUser?: SessionsPerUser;
  /**
   * How many sockets a session may have on this server, in all namespaces but exempt ones: one more is refused. Default: no
   * limit.
   */
  socketsPerSession?: number;
  /** The name of this process in receipts, for people: 1 to 100 characters. Default: the host's name and the process id. */
  nodeName?: string;
  /** For tests. Default: the system's. */
  clock?: Clock;
}

export interface ResolvedOptions {
  readonly shared: SharedOptions;
  readonly store: SessionStore;
  readonly name: string;
  readonly secrets: readonly Secret[];
  readonly userId: ((data: DeepReadonly<AppData>) => string | number | null | undefined) | undefined;
  readonly device: ((data: DeepReadonly<AppData>) => unknown) | undefined;
  readonly guests: "refuse" | "allow" | "create";
  readonly origins: Origins;
  readonly trustProxy: boolean;
  readonly ttlMs: number;
  /** Infinity: no limit. */
  readonly absoluteMs: number;
  readonly touchIntervalMs: number;
  readonly revalidateIntervalMs: number;
  readonly staleMs: number;
  readonly updateTimeoutMs: number;
  readonly storeTimeoutMs: number;
  readonly rebindMs: number;
  readonly maxSessionBytes: number;
  readonly ticketMs: number;
  readonly unprovenMs: number;
  readonly maxUnproven: MaxUnproven;
  readonly sessionsPerUser: SessionsPerUser | undefined;
  /** Infinity: no limit. */
  readonly socketsPerSession: number;
  readonly nodeName: string;
  readonly clock: Clock;
}

const known: Readonly<Record<keyof LiveSessionsOptions, true>> = {
  ...{ store: true, secret: true, name: true, key: true, cookie: true, genid: true, proxy: true },
  ...{ rolling: true, saveUninitialized: true, unset: true, resave: true, userId: true, device: true },
  ...{ guests: true, origins: true, ttlMs: true, touchIntervalMs: true, revalidateIntervalMs: true },
  ...{ staleMs: true, updateTimeoutMs: true, storeTimeoutMs: true, rebindMs: true, clock: true },
  ...{ sharedStore: true, maxSessionBytes: true, ticketMs: true, unprovenMs: true, maxUnproven: true },
  ...{ absoluteMs: true, sessionsPerUser: true, socketsPerSession: true, nodeName: true },
};

const day = 86_400_000;
const minStandardStaleMs = 10_000;

/** Checks the options and fills in the defaults; throws `INVALID_OPTION` with the cure. */
export function resolveOptions(options: LiveSessionsOptions): ResolvedOptions {
  if (typeof options !== "object" || options === null) {
    throw invalid(
      "liveSessions() expects an object of options",
      options,
      "Give it at least `store` and `secret`.",
    );
  }
  checkOptions("liveSessions()", options, Object.keys(known), curesOfUnknown);
  const clock = clockOf("liveSessions()", options.clock);
  const name = options.name ?? options.key ?? "connect.sid";
  if (typeof name !== "string" || name === "") {
    throw invalid("`name` expects the name of a cookie", name, 'Leave it out for "connect.sid".');
  }
  const duration = (option: string, value: number | undefined, standard: number, least: number): number =>
    milliseconds(option, value, standard, { least, most: maxLifeMs });
  const shared = sharedOptionsOf(options, name);
  const storeTimeoutMs = duration("storeTimeoutMs", options.storeTimeoutMs, 10_000, 1);
  const store = storeOf(options, storeTimeoutMs, clock);
  const ttlMs = duration("ttlMs", options.ttlMs, store.ttlMs ?? day, 1);
  const revalidateIntervalMs = duration("revalidateIntervalMs", options.revalidateIntervalMs, 30_000, 1);
  const standardStaleMs = Math.min(Math.max(2 * revalidateIntervalMs, minStandardStaleMs), maxLifeMs);
  return {
    shared,
    store,
    name,
    secrets: secretsOf(options.secret),
    userId: functionOf("userId", options.userId),
    device: functionOf("device", options.device),
    guests: guestsOf(options.guests),
    origins: originsOf("origins", options.origins),
    trustProxy: shared.proxy === true,
    ttlMs,
    absoluteMs: absoluteMsOf(options.absoluteMs),
    touchIntervalMs: duration("touchIntervalMs", options.touchIntervalMs, 60_000, 0),
    revalidateIntervalMs,
    staleMs: duration("staleMs", options.staleMs, standardStaleMs, revalidateIntervalMs),
    updateTimeoutMs: duration("updateTimeoutMs", options.updateTimeoutMs, 10_000, 1),
    storeTimeoutMs,
    rebindMs: duration("rebindMs", options.rebindMs, 2_000, 0),
    maxSessionBytes: maxSessionBytesOf(options.maxSessionBytes),
    ticketMs: duration("ticketMs", options.ticketMs, 30_000, 1),
    unprovenMs: duration("unprovenMs", options.unprovenMs, 10_000, 1),
    maxUnproven: maxUnprovenOf(options.maxUnproven),
    sessionsPerUser: sessionsPerUserOf(options.sessionsPerUser, options.userId, store),
    socketsPerSession: socketsPerSessionOf(options.socketsPerSession),
    nodeName: nodeNameOf(options.nodeName),
    clock,
  };
}

function storeOf(options: LiveSessionsOptions, storeTimeoutMs: number, clock: Clock): SessionStore {
  const store: unknown = options.store;
  const isShared = flagOf("sharedStore", options.sharedStore);
  if (isOurStore(store)) return store;
  if (isExpressStore(store)) {
    const { ttlMs } = options;
    return fromExpressStore(store, { ttlMs, isShared, clock, operationTimeoutMs: storeTimeoutMs });
  }
  throw noStore(store);
}

function flagOf(option: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw invalid(`\`${option}\` expects true or false`, value, "Leave it out for the default.");
}

const knownToAttach: Readonly<Record<keyof AttachOptions, true>> = { exempt: true, share: true };

/** The exempt namespaces in the options of `attach`. Throws `INVALID_OPTION`. */
export function exemptionsOfAttach(options: unknown): readonly Exemption[] {
  checkOptions("sessions.attach(io, options)", options, Object.keys(knownToAttach));
  return exemptionsOf(options.exempt);
}

function functionOf<F>(option: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw invalid(`\`${option}\` expects a function`, value, "Leave it out if you don't need it.");
}

function guestsOf(guests: unknown): ResolvedOptions["guests"] {
  if (guests === undefined) return "refuse";
  if (guests === "refuse" || guests === "allow" || guests === "create") return guests;
  throw invalidChoice('`guests` expects "refuse", "allow" or "create"', guests, 'Leave it out for "refuse".');
}
