/**
 * The options of `postgresStore`: connect-pg-simple's own names, units and defaults, and what is added to them.
 */
import { type Clock, isClock, systemClock } from "../clock.ts";
import { longestLifeMs } from "../core/life-time.ts";
import { SocketSessionError } from "../errors.ts";
import { shown, shownChoice, shownOption } from "../shown.ts";
import { longestNameBytes } from "./postgres-quoting.ts";

/** A `Pool` of `pg`. It is never closed, and no client is taken out of it. */
export interface PostgresPool {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
  /** What it was made with. */
  readonly options: object;
  on?(event: "error", listener: (error: Error) => void): unknown;
  removeListener?(event: "error", listener: (error: Error) => void): unknown;
}

/** A `Client` of `pg`, made for the feed alone. */
export interface PostgresClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  on(event: "error" | "end" | "notification", listener: (what?: unknown) => void): unknown;
  unref?(): void;
  /** What it is made of; absent in a native client. */
  readonly connection?: { readonly stream?: { destroy?(): unknown } };
}

type PostgresClientClass = new (config: object) => PostgresClient;

export interface PostgresStoreOptions {
  pool: PostgresPool;
  schemaName?: string;
  tableName?: string;
  createTableIfMissing?: boolean;
  ttl?: number;
  pruneSessionInterval?: number | false;
  pruneSessionRandomizedInterval?: ((delayMs: number) => number) | false;
  errorLog?: (message: string, error: unknown) => void;
  userIndex?: boolean;
  usersTableName?: string;
  listenConnectionString?: string;
  otherWriters?: boolean;
  clock?: Clock;
}

export interface ResolvedPostgresOptions {
  readonly pool: PostgresPool;
  readonly clientClass: PostgresClientClass;
  readonly listenConnectionString: string | undefined;
  readonly schemaName: string | undefined;
  readonly tableName: string;
  readonly otherWriters: boolean;
  readonly createTableIfMissing: boolean;
  /** Undefined: no index of users. */
  readonly usersTableName: string | undefined;
  readonly ttlMs: number;
  /** How long to wait before the next pruning, which may throw; undefined: nothing is pruned. */
  readonly pruneDelayMs: (() => number) | undefined;
  readonly errorLog: ((message: string, error: unknown) => void) | undefined;
  readonly clock: Clock;
}

const forTheDefault = "Leave it out for the default.";
const longestTimerMs = 2 ** 31 - 1;

const known = new Set([
  ...["pool", "schemaName", "tableName", "createTableIfMissing", "ttl", "pruneSessionInterval"],
  ...["pruneSessionRandomizedInterval", "errorLog", "userIndex", "usersTableName", "listenConnectionString"],
  ...["otherWriters", "clock", "disableTouch"],
]);

const cureOf = new Map([
  ["conString", "Make a Pool of `pg` with it, and give that as `pool`."],
  ["conObject", "Make a Pool of `pg` with it, and give that as `pool`."],
  ["pgPromise", "Give a Pool of `pg`: the one of pg-promise is `db.$pool`."],
]);

/** Checks the options and fills in the defaults; throws `INVALID_OPTION` with the cure. */
export function resolvePostgresOptions(options: PostgresStoreOptions): ResolvedPostgresOptions {
  if (!isObject(options)) throw invalid("options", options, "Give it `{ pool: new Pool(…) }`.");
  for (const [name, value] of Object.entries(options)) {
    if (known.has(name) || value === undefined) continue;
    throw refused(`no ${shownOption(name)}`, "given", cureOf.get(name) ?? "Leave it out.");
  }
  if (Reflect.get(options, "disableTouch")) {
    const cure =
      "A session whose life is not extended would still be held for extended. Leave it out, and set cookie.maxAge to how long sessions live after their last use.";
    throw invalid("no disableTouch", true, cure);
  }
  const { createTableIfMissing = false, otherWriters = false, userIndex = true } = options;
  const { errorLog, clock = systemClock } = options;
  for (const [name, value] of Object.entries({ createTableIfMissing, otherWriters, userIndex })) {
    if (typeof value !== "boolean") throw invalid(`\`${name}\` to be true or false`, value, forTheDefault);
  }
  if (errorLog !== undefined && typeof errorLog !== "function")
    throw invalid("`errorLog` to be a function", errorLog, "Leave it out for debug output.");
  if (!isClock(clock))
    throw invalid("`clock` to be a clock with `now()` and `after()`", clock, forTheDefault);
  return {
    ...poolOf(options),
    ...namesOf(options, userIndex),
    createTableIfMissing,
    otherWriters,
    ttlMs: seconds("ttl", options.ttl ?? 86_400) * 1000,
    pruneDelayMs: pruneDelayOf(options),
    errorLog,
    clock,
  };
}

type PoolOptions = Pick<ResolvedPostgresOptions, "pool" | "clientClass" | "listenConnectionString">;

function poolOf({ pool, listenConnectionString }: PostgresStoreOptions): PoolOptions {
  const clientClass: unknown = isObject(pool) ? Reflect.get(pool, "Client") : undefined;
  if (!isObject(pool) || typeof pool.query !== "function" || !isClientClass(clientClass))
    throw invalid("`pool` to be a Pool of `pg` 8 or later", pool, "Give it `new Pool(…)`.");
  if (listenConnectionString !== undefined && typeof listenConnectionString !== "string") {
    const cure = 'Give one such as "postgres://host/database", or leave it out.';
    throw invalid("`listenConnectionString` to be a connection string", listenConnectionString, cure);
  }
  return { pool, clientClass, listenConnectionString };
}

type Names = Pick<ResolvedPostgresOptions, "schemaName" | "tableName" | "usersTableName">;

function namesOf({ schemaName, tableName, usersTableName }: PostgresStoreOptions, userIndex: boolean): Names {
  const schema = schemaName === undefined || schemaName === "" ? undefined : schemaName; // as the peer does
  const table = tableName === undefined || tableName === "" ? "session" : tableName;
  if (schema === undefined && table.includes('"."')) {
    throw invalid("`tableName` to be a name without its schema", table, "Give the schema as `schemaName`.");
  }
  const users = userIndex ? (usersTableName ?? `${table}_users`) : undefined;
  const cures = {
    schemaName: "Give the schema's name.",
    tableName: "Give the table's name.",
    usersTableName: "Give a shorter usersTableName, or userIndex: false.",
  };
  const names = { schemaName: schema, tableName: table, usersTableName: users };
  for (const [option, name] of Object.entries(names)) {
    if (name === undefined) continue;
    const isName = typeof name === "string" && name !== "" && !name.includes("\0");
    if (!isName || Buffer.byteLength(name) > longestNameBytes)
      throw invalid(
        `\`${option}\` to be a name of at most ${longestNameBytes} bytes`,
        name,
        Reflect.get(cures, option),
      );
  }
  if (users === table) throw invalid("`usersTableName` to be another table", users, cures.usersTableName);
  return names;
}

function pruneDelayOf(options: PostgresStoreOptions): (() => number) | undefined {
  const { pruneSessionInterval: interval = 900, pruneSessionRandomizedInterval: randomized } = options;
  if (interval === false) return undefined;
  const intervalMs = seconds("pruneSessionInterval", interval) * 1000;
  // Half to one and a half of it, so that the nodes do not all prune at the same time; as the peer does.
  const standard = () => Math.ceil(intervalMs / 2 + intervalMs * Math.random());
  if (randomized !== undefined && randomized !== false && typeof randomized !== "function")
    throw invalid("`pruneSessionRandomizedInterval` to be a function or false", randomized, forTheDefault);
  if (randomized === undefined) return () => Math.min(standard(), longestTimerMs);
  return () => {
    const delayMs: unknown = randomized === false ? intervalMs : randomized(intervalMs);
    if (typeof delayMs === "number" && delayMs > 0) return Math.min(delayMs, longestTimerMs);
    const expected = "`pruneSessionRandomizedInterval` to return a number of milliseconds greater than 0";
    throw refused(expected, shownChoice(delayMs), forTheDefault);
  };
}

function seconds(option: string, value: unknown): number {
  if (typeof value === "number" && value > 0 && value * 1000 <= longestLifeMs) return value;
  const expected = `\`${option}\` to be a number of seconds greater than 0, ${longestLifeMs / 1000} at most`;
  throw refused(expected, shownChoice(value), forTheDefault);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isClientClass(value: unknown): value is PostgresClientClass {
  return typeof value === "function";
}

function invalid(expected: string, came: unknown, cure: string): SocketSessionError {
  return refused(expected, shown(came), cure);
}

function refused(expected: string, came: string, cure: string): SocketSessionError {
  return new SocketSessionError(
    "INVALID_OPTION",
    `postgresStore expected ${expected}, but it is ${came}. ${cure}`,
  );
}
