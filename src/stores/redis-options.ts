/** The options of the Redis store, with connect-redis's names and defaults, and what is wrong with them. */
import { type Clock, isClock, systemClock } from "../clock.ts";
import { longestLifeMs } from "../core/life-time.ts";
import type { SessionDocument } from "../core/session-store.ts";
import { SocketSessionError } from "../errors.ts";
import { shown, shownChoice, shownOption } from "../shown.ts";
import { connectionOf, type RedisClient } from "./redis-client.ts";
import { hasMethods, type RedisConnection } from "./redis-connection.ts";

/** As connect-redis takes it. Throws where the document can't be written or the text can't be read. */
export interface Serializer {
  stringify(document: SessionDocument): string;
  parse(text: string): unknown;
}

export interface RedisStoreOptions {
  client: RedisClient;
  prefix?: string;
  ttl?: number;
  serializer?: Serializer;
  scanCount?: number;
  keyspaceEvents?: boolean | "auto";
  otherWriters?: boolean;
  clock?: Clock;
}

export interface ResolvedOptions {
  readonly connection: RedisConnection;
  readonly prefix: string;
  readonly ttlMs: number;
  readonly serializer: Serializer;
  readonly scanCount: number;
  readonly keyspaceEvents: boolean | "auto";
  readonly otherWriters: boolean;
  readonly clock: Clock;
}

const known = new Set([
  "client",
  "prefix",
  "ttl",
  "serializer",
  "scanCount",
  "keyspaceEvents",
  "otherWriters",
  "clock",
]);

/** Of connect-redis, with what to do instead. */
const unsupported = new Map([
  [
    "disableTTL",
    "A session has to end, and Redis has to know when. Set a long cookie.maxAge or ttl instead.",
  ],
  [
    "disableTouch",
    "Set touchIntervalMs of liveSessions() to say how often the life of a session is extended.",
  ],
]);

export function resolveOptions(options: RedisStoreOptions): ResolvedOptions {
  if (typeof options !== "object" || options === null)
    throw invalid("options to be an object", `they are ${shown(options)}`, "Give it at least a client.");
  for (const [name, value] of Object.entries(options)) checkSupported(name, value);
  const { ttl = 86_400, keyspaceEvents = "auto", otherWriters = false, clock = systemClock } = options;
  // As connect-redis: its default for null, and where it can do with neither, for anything that is falsy.
  const prefix = options.prefix ?? "sess:";
  const scanCount = options.scanCount || 100;
  const serializer = options.serializer || JSON;
  expect(typeof prefix === "string", "prefix", "a string", shown(prefix));
  const isLife = isPositive(ttl) && ttl * 1000 <= longestLifeMs;
  expect(isLife, "ttl", `a number of seconds, ${longestLifeMs / 1000} at most`, shownChoice(ttl), perSession);
  expect(isPositive(scanCount), "scanCount", "a positive number", shownChoice(scanCount));
  expect(
    hasMethods(serializer, "stringify", "parse"),
    "serializer",
    "an object like JSON",
    shown(serializer),
  );
  expect(
    [true, false, "auto"].includes(keyspaceEvents),
    "keyspaceEvents",
    '"auto", true or false',
    shownChoice(keyspaceEvents),
  );
  expect(typeof otherWriters === "boolean", "otherWriters", "true or false", shown(otherWriters));
  expect(isClock(clock), "clock", "a clock with now() and after()", shown(clock));
  const connection = connectionOf(options.client);
  checkConnection(connection, keyspaceEvents);
  return {
    connection,
    prefix,
    ttlMs: ttl * 1000,
    serializer,
    scanCount: Math.ceil(scanCount),
    keyspaceEvents,
    otherWriters,
    clock,
  };
}

const perSession =
  "Where sessions live differently long, set req.session.cookie.maxAge of each: then everyone who has it knows.";

function checkSupported(name: string, value: unknown): void {
  if (value === undefined) return;
  const cure = unsupported.get(name);
  if (cure !== undefined && value) throw invalid(`${name} to be left out`, "it is set", cure);
  if (cure === undefined && !known.has(name)) {
    throw invalid(`no ${shownOption(name)}`, "it is given", `The options are ${[...known].join(", ")}.`);
  }
}

function checkConnection({ keyPrefix, isCluster }: RedisConnection, keyspaceEvents: boolean | "auto"): void {
  if (keyPrefix !== "") {
    const cure =
      "Give the store a client without, and put it into prefix: the keys of the sessions then stay the same.";
    throw invalid("client to have no keyPrefix", `it has ${shown(keyPrefix)}`, cure);
  }
  if (isCluster && keyspaceEvents === true) {
    const cure = "There, each server tells of its own keys only. Leave keyspaceEvents out.";
    throw invalid("keyspaceEvents not to be true in a Cluster", "it is", cure);
  }
}

function expect(holds: boolean, name: string, expected: string, came: string, cure?: string): void {
  if (holds) return;
  throw invalid(`${name} to be ${expected}`, `it is ${came}`, cure ?? "Leave it out for the default.");
}

function invalid(expected: string, came: string, cure: string): SocketSessionError {
  return new SocketSessionError("INVALID_OPTION", `Expected redisStore's ${expected}, but ${came}. ${cure}`);
}

function isPositive(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}
