/** What the messages of refusals show of what came: secrets are given in wrong places, and messages are logged. */
import { createContext, runInContext } from "node:vm";
import { type LiveSession, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { mongodbStore } from "socket-session/mongodb";
import { postgresStore } from "socket-session/postgres";
import { redisStore } from "socket-session/redis";
import { sqliteStore } from "socket-session/sqlite";
import { signIn } from "socket-session/testing";
import { afterEach, describe, expect, test } from "vitest";
import { serverSockets } from "../support/handlers.ts";
import { secret, startWorld, type World } from "../support/world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const url = "postgres://app:hunter2@db.example/x";

/** The message of the refusal, whether it is thrown or rejected with. */
async function refusalOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^INVALID_OPTION$|^SESSION_INVALID_DATA$/) });
    return error instanceof Error ? error.message : "";
  }
  throw new Error("Expected a refusal, but it was accepted.");
}

const build = (options: object) => liveSessions({ store: memoryStore(), secret, ...options } as never);
const client = { db: () => ({}) };
const pool = { query() {}, Client: class {} };

describe("a refusal quotes no credential", () => {
  test.each<[string, (value: never) => unknown]>([
    ["liveSessions(url)", (value) => liveSessions(value)],
    ["liveSessions({ store })", (store) => liveSessions({ store, secret })],
    ["liveSessions({ genid })", (genid) => build({ genid })],
    ["liveSessions({ userId })", (userId) => build({ userId })],
    ["liveSessions({ guests })", (guests) => build({ guests })],
    ["liveSessions({ unset })", (unset) => build({ unset })],
    ["liveSessions({ ttlMs })", (ttlMs) => build({ ttlMs })],
    ["liveSessions({ origins })", (origins) => build({ origins })],
    ["liveSessions({ origins: [url] })", (origin) => build({ origins: [origin] })],
    ["liveSessions({ cookie: { maxAge } })", (maxAge) => build({ cookie: { maxAge } })],
    ["liveSessions({ mongoUrl })", (mongoUrl) => build({ mongoUrl })],
    ["memoryStore(url)", (value) => memoryStore(value)],
    ["sqliteStore(url)", (value) => sqliteStore(value)],
    ["sqliteStore({ path: { url } })", (value) => sqliteStore({ path: { url: value } as never })],
    ["sqliteStore({ pollIntervalMs })", (value) => sqliteStore({ path: ":memory:", pollIntervalMs: value })],
    ["postgresStore(url)", (value) => postgresStore(value)],
    ["postgresStore({ conString })", (conString) => postgresStore({ pool, conString } as never)],
    ["postgresStore({ password })", (password) => postgresStore({ pool, password } as never)],
    ["postgresStore({ pool })", (value) => postgresStore({ pool: value })],
    ["postgresStore({ ttl })", (ttl) => postgresStore({ pool, ttl } as never)],
    ["postgresStore({ schemaName })", (name) => postgresStore({ pool, schemaName: `${name}\0` } as never)],
    ["redisStore(url)", (value) => redisStore(value)],
    ["redisStore({ url })", (value) => redisStore({ url: value } as never)],
    ["redisStore({ client })", (value) => redisStore({ client: value })],
    ["redisStore({ prefix: { url } })", (value) => redisStore({ client: value, prefix: { value } as never })],
    ["mongodbStore(url)", (value) => mongodbStore(value)],
    ["mongodbStore({ mongoUrl })", (mongoUrl) => mongodbStore({ mongoUrl } as never)],
    ["mongodbStore({ feed })", (feed) => mongodbStore({ client, feed } as never)],
    ["mongodbStore({ ttl })", (ttl) => mongodbStore({ client, ttl } as never)],
    ["mongodbStore({ transformId })", (value) => mongodbStore({ client, transformId: value } as never)],
    ["signIn(sessions, text)", (data) => signIn(build({}), data)],
    ["signIn(sessions, {}, { maxAge })", (maxAge) => signIn(build({}), {}, { maxAge })],
  ])("%s", async (_name, call) => {
    const message = await refusalOf(() => call(url as never));
    expect(message).not.toContain("hunter2");
    expect(message).not.toContain("app:");
  });

  test("an unknown option is named, but neither its value nor a long name", async () => {
    const options = { [url]: "s3cret", [`x${"y".repeat(24)}`]: "s3cret" };
    const refusals = [
      ...Object.entries(options).map(([name, value]) => [
        () => build({ [name]: value }),
        () => memoryStore({ [name]: value } as never),
        () => postgresStore({ pool, [name]: value } as never),
        () => redisStore({ client: {}, [name]: value } as never),
        () => mongodbStore({ client, [name]: value } as never),
      ]),
    ].flat();
    for (const refused of refusals) {
      const message = await refusalOf(refused);
      expect(message).toMatch(/option with a name of \d+ characters/);
      expect(message).not.toMatch(/s3cret|hunter2|yyyy/);
    }
    for (const open of [
      () => build({ password: "s3cret" }),
      () => postgresStore({ pool, password: "s3cret" } as never),
      () => redisStore({ client: {}, password: "s3cret" } as never),
      () => mongodbStore({ client, password: "s3cret" } as never),
    ]) {
      const message = await refusalOf(open);
      expect(message).toContain("password");
      expect(message).not.toContain("s3cret");
    }
  });
});

test("a refusal quotes no session id, and no user", async () => {
  const values = { userId: 4_242_424_242 };
  world = await startWorld({ userId: () => values.userId + 0.5 });
  const { sessions } = world;
  const ada = await world.visitor();
  await ada.connect();
  const { id } = JSON.parse(await ada.get("/session"));
  const session = serverSockets(world.io)[0]?.session;
  expect(session?.state).toBe("live");
  const untyped = session as LiveSession & Record<string, (...args: unknown[]) => unknown>;
  const users = build({ userId: () => "ada" }).user("ada");
  const store = Reflect.apply(sessions.store, sessions, []);
  const calls: (() => unknown)[] = [
    () => users.end(id),
    () => users.end({ publicId: [id] as never }),
    () => untyped.end(id),
    () => untyped.update(id),
    () => untyped.on(id, () => {}),
    () => sessions.on(id, () => {}),
    () => sessions.of({ session: id } as never),
    () => Reflect.apply(sessions.express, sessions, [id]),
    () => Reflect.apply(sessions.store, sessions, [id]),
    () => sessions.attach(world?.io as never, { exempt: id }),
    () => sessions.attach(world?.io as never, { exempt: [id] }),
    () => new Promise((_resolve, reject) => store.set("a", id, reject)),
    () => new Promise((_resolve, reject) => store.set(7 as never, id, reject)),
  ];
  for (const call of calls) expect(await refusalOf(call), String(call)).not.toContain(id);
  for (const user of [4_242e18, 4_242_424_242_424_242_424n, Symbol("ada's secret")])
    expect(await refusalOf(() => sessions.user(user as never))).not.toMatch(/4242|secret/);
});

test("words of a list and numbers of options are shown, and what has a type by it", async () => {
  const shown: [() => unknown, string][] = [
    [() => build({ guests: "yes" }), 'it was "yes"'],
    [() => build({ unset: "remove" }), 'it was "remove"'],
    [() => build({ guests: "a word that is long" }), "it was a string of 19 characters"],
    [() => build({ guests: "a b" }), "it was a string of 3 characters"],
    [() => build({ ttlMs: -5 }), "it was -5"],
    [() => build({ ttlMs: "1h" }), 'it was "1h"'],
    [() => build({ userId: "ada" }), "it was a string of 3 characters"],
    [() => build({ userId: 7 }), "it was a number"],
    [() => build({ userId: 7n }), "it was a bigint"],
    [() => build({ userId: Symbol("a") }), "it was a symbol"],
    [() => build({ userId: true }), "it was true"],
    [() => build({ userId: null }), "it was null"],
    [() => build({ userId: [] }), "it was an array"],
    [() => build({ userId: new Date() }), "it was an object of Date"],
    [() => build({ userId: Object.create(null) }), "it was an object of no class"],
    [() => build({ device: "" }), "it was an empty string"],
    [() => build({ device: "x" }), "it was a string of 1 character."],
    [() => sqliteStore({ path: ":memory:", pollIntervalMs: -1 }), "it was -1"],
    [() => postgresStore({ pool, ttl: -1 } as never), "it was -1"],
    [() => mongodbStore({ client, ttl: -1 } as never), "it was -1"],
    [() => mongodbStore({ client, feed: "notify" } as never), 'it was "notify"'],
    [() => redisStore({ client: {}, ttl: -1 } as never), "it was -1"],
    [() => redisStore({ client: {}, keyspaceEvents: "yes" } as never), 'it was "yes"'],
    [() => redisStore({ client: { get() {} } } as never), "it was an object of Object"],
  ];
  for (const [call, text] of shown) expect(await refusalOf(call)).toContain(text);
});

test("what can't be looked at is refused as an object", async () => {
  const trap = () => {
    throw new Error("a trap");
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const unreadable = [
    new Proxy({}, { getPrototypeOf: trap }),
    Object.create({
      get constructor() {
        return trap();
      },
    }),
    Object.create({ constructor: Object.defineProperty(() => {}, "name", { get: trap }) }),
    Object.create({ constructor: Object.defineProperty(() => {}, "name", { value: url }) }),
    revoked.proxy,
    runInContext("new Proxy({}, { getPrototypeOf() { throw 1; } })", createContext()),
  ];
  for (const value of unreadable) {
    const message = await refusalOf(() => build({ userId: value }));
    expect(message).toMatch(/it was an object[.;]|it was an object of no class/);
  }
});
