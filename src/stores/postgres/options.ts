/**
 * The options of `postgresStore`: those of connect-pg-simple, with their names, units and defaults, and its own.
 */
import { clockOf, refusal } from "../../base/arguments.ts";
import { type Clock, maxDelayMs, randomOf } from "../../base/clock.ts";
import { hasMethods, hasProperty, property } from "../../base/shapes.ts";
import { shown, shownChoice } from "../../base/shown.ts";
import { checkStoreOptions, lifeTime, type OptionChecks } from "../common/options.ts";
import { recognised } from "../common/recognised.ts";
import { maxNameBytes } from "./terms.ts";

/** A `Pool` of `pg`. The store never closes it, and checks out no client. */
export interface PostgresPool {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
  /** The settings that it was made with. */
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
  /** Absent in a native client. */
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
  /** Returns the delay before the next pruning, and may throw. Undefined: no pruning. */
  readonly pruneDelayMs: (() => number) | undefined;
  readonly errorLog: ((message: string, error: unknown) => void) | undefined;
  readonly clock: Clock;
}

const known: Readonly<Record<keyof PostgresStoreOptions, true>> = {
  ...{ pool: true, schemaName: true, tableName: true, createTableIfMissing: true, ttl: true },
  ...{ pruneSessionInterval: true, pruneSessionRandomizedInterval: true, errorLog: true, userIndex: true },
  ...{ usersTableName: true, listenConnectionString: true, otherWriters: true, clock: true },
};

const makePool =
  "Make a Pool of `pg` with it, and give that: postgresStore({ pool: new Pool({ connectionString }) }).";

/** For options of connect-pg-simple and of the Pool. */
const cures = {
  pgPromise: "Give a Pool of `pg`: the one of pg-promise is `db.$pool`.",
  disableTouch:
    "A session whose life is not extended would still count as extended. Leave it out, and set `cookie.maxAge` to how long sessions live after their last use.",
  ...Object.fromEntries(
    [
      ...["conString", "conObject", "connectionString", "connection", "client", "url", "host", "port"],
      ...["user", "username", "password", "database", "ssl", "max"],
    ].map((name) => [name, makePool]),
  ),
};

/** Checks the options and fills in the defaults; throws `INVALID_OPTION` with the cure. */
export function resolvePostgresOptions(options: PostgresStoreOptions): ResolvedPostgresOptions {
  const usage = "postgresStore({ pool }), with a `new Pool(…)` of `pg`";
  const isHarmless = (name: string, value: unknown) => name === "disableTouch" && !value;
  const check = checkStoreOptions("postgresStore()", usage, options, known, cures, isHarmless);
  const { createTableIfMissing = false, otherWriters = false, userIndex = true } = options;
  const { errorLog, ttl = 86_400 } = options;
  const clock = clockOf("postgresStore()", options.clock);
  for (const [name, value] of Object.entries({ createTableIfMissing, otherWriters, userIndex }))
    check.flag(name, value);
  check.callback("errorLog", errorLog);
  check.number("ttl", ttl, lifeTime);
  return {
    ...poolOf(options, check),
    ...namesOf(options, userIndex, check),
    createTableIfMissing,
    otherWriters,
    ttlMs: ttl * 1000,
    pruneDelayMs: pruneDelayOf(options, clock, check),
    errorLog,
    clock,
  };
}

type PoolOptions = Pick<ResolvedPostgresOptions, "pool" | "clientClass" | "listenConnectionString">;

function poolOf(options: PostgresStoreOptions, check: OptionChecks): PoolOptions {
  const { pool, listenConnectionString } = options;
  const clientClass: unknown = property(pool, "Client");
  if (isOldPool(pool)) {
    const cure =
      "Update `pg` to 8 or later; or keep the express-session store that you have: liveSessions({ store: yourStore }).";
    check.expect(false, "pool", "a Pool of `pg` 8 or later", "one of pg 7 or older", cure);
  }
  if (!hasMethods(pool, "query") || !isClientClass(clientClass)) throw noPool(pool);
  check.expect(
    listenConnectionString === undefined || typeof listenConnectionString === "string",
    "listenConnectionString",
    "a connection string",
    shown(listenConnectionString),
    'Give one such as "postgres://host/database", or leave it out.',
  );
  return { pool, clientClass, listenConnectionString };
}

function noPool(given: unknown): Error {
  const found = recognised(given);
  const expected = "`pool` of postgresStore() expects a Pool of `pg` 8 or later";
  return refusal(expected, found?.what ?? shown(given), found?.cure ?? "Give it `new Pool(…)`.");
}

/** `pg` 7 passes its Client as an option, to a pool without the properties of the pool of `pg` 8. */
function isOldPool(pool: unknown): boolean {
  const isNew = hasProperty(pool, "_releaseOnce") || hasProperty(pool, "expiredCount");
  return !isNew && hasProperty(property(pool, "options"), "Client");
}

type Names = Pick<ResolvedPostgresOptions, "schemaName" | "tableName" | "usersTableName">;

function namesOf(options: PostgresStoreOptions, userIndex: boolean, check: OptionChecks): Names {
  const { schemaName, tableName, usersTableName } = options;
  const schema = schemaName === undefined || schemaName === "" ? undefined : schemaName; // as in connect-pg-simple
  const table = tableName === undefined || tableName === "" ? "session" : tableName;
  const isWithSchema = schema === undefined && String(table).includes('"."');
  const giveApart = "Give the schema as `schemaName`.";
  check.expect(!isWithSchema, "tableName", "a name without its schema", shown(table), giveApart);
  const users = userIndex ? (usersTableName ?? `${table}_users`) : undefined;
  const namesOfTables = {
    schemaName: [schema, "Give the schema's name."],
    tableName: [table, "Give the table's name."],
    usersTableName: [users, "Give a shorter `usersTableName`, or `userIndex: false`."],
  } as const;
  for (const [option, [name, cure]] of Object.entries(namesOfTables)) {
    if (name === undefined) continue;
    const isText = typeof name === "string" && name !== "" && !name.includes("\0");
    const isName = isText && Buffer.byteLength(name) <= maxNameBytes;
    check.expect(isName, option, `a name of at most ${maxNameBytes} bytes`, shown(name), cure);
  }
  const another = "Give it another name, or `userIndex: false`.";
  check.expect(users !== table, "usersTableName", "another table than `tableName`", "the same", another);
  return { schemaName: schema, tableName: table, usersTableName: users };
}

function pruneDelayOf(
  options: PostgresStoreOptions,
  clock: Clock,
  check: OptionChecks,
): (() => number) | undefined {
  const { pruneSessionInterval: interval = 900, pruneSessionRandomizedInterval: randomized } = options;
  if (interval === false) return undefined;
  check.number("pruneSessionInterval", interval, lifeTime);
  const intervalMs = interval * 1000;
  // Between half and one and a half intervals, so that the nodes do not prune at the same time; as in connect-pg-simple.
  const standard = () => Math.ceil(intervalMs / 2 + intervalMs * randomOf(clock));
  const option = "pruneSessionRandomizedInterval";
  const isOne = randomized === undefined || randomized === false || typeof randomized === "function";
  check.expect(isOne, option, "a function or false", shown(randomized));
  if (randomized === undefined) return () => Math.min(standard(), maxDelayMs);
  return () => {
    const delayMs: unknown = randomized === false ? intervalMs : randomized(intervalMs);
    const isDelay = typeof delayMs === "number" && delayMs > 0;
    check.expect(isDelay, option, "a function that returns milliseconds, more than 0", shownChoice(delayMs));
    return Math.min(Number(delayMs), maxDelayMs);
  };
}

function isClientClass(value: unknown): value is PostgresClientClass {
  return typeof value === "function";
}
