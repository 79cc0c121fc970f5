/** What public methods do with wrong arguments: they refuse them, and have done nothing. */
import { Server } from "socket.io";
import { type LiveSession, type LiveSessions, liveSessions, type SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { sqliteStore } from "socket-session/sqlite";
import { signIn } from "socket-session/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serverSockets } from "../support/handlers.ts";
import { settle } from "../support/manual-clock.ts";
import { secret, startWorld, type World } from "../support/world.ts";

/** As JavaScript calls it, where nothing checks the types. */
type Untyped = Record<string, (...args: unknown[]) => unknown>;

const refusal = expect.objectContaining({ name: "SocketSessionError", code: "INVALID_OPTION" });

let world: World;
let store: SessionStore;
/** Operations of the store, once the set-up is done. */
let operations: string[];

beforeEach(async () => {
  store = memoryStore();
  world = await startWorld({ store, guests: "allow", userId: (data) => data.userId });
  const ada = await world.visitor({ userId: "ada", name: "ada" });
  await ada.connect();
  await world.browser().connect();
  operations = [];
  for (const operation of ["read", "create", "replace", "touch", "destroy", "listByUser"] as const) {
    const own = (store[operation] as (...args: unknown[]) => unknown).bind(store);
    Object.assign(store, {
      [operation]: (...args: unknown[]) => {
        operations.push(operation);
        return own(...args);
      },
    });
  }
});
afterEach(() => world.close());

const sessionOf = (state: LiveSession["state"]) => {
  const socket = serverSockets(world.io).find(({ session }) => session.state === state);
  if (!socket) throw new Error(`Expected a socket that is ${state}.`);
  return socket.session;
};

const notFunctions = [undefined, null, "a function", 7, true, {}, []];
const callback = () => {};
/** Can't be made a string. */
const noObject: unknown = Object.create(null);

async function refuses(target: object, method: string, calls: readonly unknown[][]): Promise<void> {
  const call = Reflect.get(target, method) as (...args: unknown[]) => unknown;
  for (const args of calls) {
    const outcome = new Promise((resolve) => resolve(call.apply(target, args)));
    await expect(outcome, `${method}(${String(args.map((arg) => typeof arg))})`).rejects.toEqual(refusal);
  }
  await settle();
  expect(operations).toEqual([]);
}

describe.each(["live", "guest"] as const)("the session of a socket that is %s", (state) => {
  const untouched = async () => {
    await settle();
    expect(sessionOf(state).state).toBe(state);
    expect(serverSockets(world.io)).toHaveLength(2);
    expect(world.errors).toEqual([]);
  };

  test("end: an unknown reason ends nothing", async () => {
    const reasons = [
      "bye",
      "",
      null,
      7,
      { reason: "bye" },
      { because: "bye" },
      [],
      callback,
      "expired",
      "replaced",
      "unverified",
      "__proto__",
    ];
    await refuses(
      sessionOf(state),
      "end",
      reasons.map((reason) => [reason]),
    );
    await untouched();
  });

  test("update, end: a callback, which would never be called", async () => {
    await refuses(sessionOf(state), "update", [[callback, callback]]);
    await refuses(sessionOf(state), "end", [
      ["destroyed", callback],
      [undefined, callback],
    ]);
    await untouched();
  });

  test("update: what is no function changes nothing", async () => {
    await refuses(sessionOf(state), "update", [[], ...notFunctions.map((fn) => [fn])]);
    await untouched();
  });

  test("reload: a callback, which would never be called", async () => {
    await refuses(sessionOf(state), "reload", [[callback]]);
  });

  test("on, once, off: an event that there is none of, or no listener", async () => {
    for (const method of ["on", "once", "off"])
      await refuses(sessionOf(state), method, [
        ...notFunctions.map((listener) => ["change", listener]),
        ...[undefined, null, 7, {}, noObject, Symbol("end"), "ended", "changes", "error", "constructor"].map(
          (event) => [event, callback],
        ),
      ]);
    expect(() => (sessionOf(state) as unknown as Untyped).on?.("ended", callback)).toThrow(
      'Write "end" instead',
    );
  });
});

describe("sessions", () => {
  test("end: what names no session", async () => {
    const wrong = [undefined, null, 7, {}, [], callback, { publicId: undefined }, { publicId: ["a"] }];
    await refuses(world.sessions, "end", [
      ...wrong.map((session) => [session]),
      [{ sid: "an id" }],
      [{ publicId: "one", exceptPublicId: "another" }],
      ["an id", callback],
    ]);
  });

  test("end: the handle of a guest names none", async () => {
    expect(await world.sessions.end(sessionOf("guest"))).toBe(false);
    expect(serverSockets(world.io)).toHaveLength(2);
  });

  test("attach: what is refused leaves nothing on the server", async () => {
    const io = new Server();
    const { emit, on, bind } = io;
    class uServer {
      readonly clientsCount = 0;
      handleRequest(): void {}
      handleUpgrade(): void {}
    }
    Object.assign(io, { engine: new uServer() });
    const namespace = io.of("/");
    const before = { ...Object.getOwnPropertyDescriptors(namespace) };
    const listeners = namespace.listenerCount("new_namespace" as never);
    expect(() => world.sessions.attach(io)).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_UPSTREAM" }),
    );
    expect({ ...Object.getOwnPropertyDescriptors(namespace) }).toEqual(before);
    expect(namespace.listenerCount("new_namespace" as never)).toBe(listeners);
    expect([io.emit, io.on, io.bind]).toEqual([emit, on, bind]);
    Reflect.deleteProperty(io, "engine");
    world.sessions.attach(io);
  });

  test("end: a handle of the session names it", async () => {
    expect(await world.sessions.end(sessionOf("live"))).toBe(true);
  });

  test("of: what is no request with a session", async () => {
    const wrong = [
      undefined,
      null,
      7,
      "req",
      callback,
      {},
      { session: {} },
      { session: "s", sessionID: "an id" },
    ];
    await refuses(world.sessions, "of", [[], ...wrong.map((req) => [req])]);
    await refuses(world.sessions, "of", [[{ session: null, sessionID: "an id" }]]);
  });

  test("attach: what is no server, and options that are none", async () => {
    const wrong = [undefined, null, 7, "io", callback, {}, world.http, world.io.of("/admin")];
    await refuses(world.sessions, "attach", [[], ...wrong.map((io) => [io])]);
    const fresh = new Server();
    const exempt = ["/admin", new Set(["/admin"]), [7], [null], ["admin"], [/x/g], null, {}];
    await refuses(world.sessions, "attach", [
      ...[null, "/admin", ["/admin"], 7, callback].map((options) => [fresh, options]),
      ...exempt.map((one) => [fresh, { exempt: one }]),
      [fresh, { exempted: ["/admin"] }],
    ]);
    world.sessions.attach(fresh); // none of that has attached it
  });

  test("express, store: arguments, which would be ignored", async () => {
    await refuses(world.sessions, "express", [[{ rolling: true }], [undefined]]);
    await refuses(world.sessions, "store", [[{ ttl: 1 }]]);
  });

  test("on, once, off and what adds listeners otherwise: an event that there is none of, or no listener", async () => {
    for (const method of ["on", "once", "off", "addListener", "prependListener", "prependOnceListener"])
      await refuses(world.sessions, method, [
        ...notFunctions.map((listener) => ["end", listener]),
        ...[undefined, null, 7, noObject, Symbol("end"), "ended", "errors", "constructor"].map((event) => [
          event,
          callback,
        ]),
      ]);
    expect(() => (world.sessions as unknown as Untyped).on?.("refused", callback)).toThrow(
      'Write "refuse" instead',
    );
  });

  test("on: what Node emits by itself can be listened to", () => {
    const added: unknown[] = [];
    (world.sessions as unknown as Untyped).on?.("newListener", (event: unknown) => added.push(event));
    world.sessions.on("change", callback).off("change", callback);
    expect(added).toEqual(["change"]);
  });

  test("close: a callback, which would never be called, closes nothing", async () => {
    await refuses(world.sessions, "close", [[callback]]);
    expect(world.sessions.stats().connections).toBe(2);
  });
});

describe("signIn", () => {
  const sign = (...args: unknown[]) => Promise.resolve(Reflect.apply(signIn, undefined, args));

  const notPlain = [new Map([["userId", "ada"]]), new Set(), new Date(), Promise.resolve({ userId: "ada" })];

  test("what is no sessions, data or options stores nothing", async () => {
    const calls = [
      ...[undefined, null, {}, "sessions", 7].map((sessions) => [sessions, {}]),
      ...[null, "ada", 7, ["ada"], callback, { cookie: { maxAge: 1 } }, ...notPlain].map((data) => [
        world.sessions,
        data,
      ]),
      ...[null, 7, [], { maxage: 1 }, { maxAge: "1h" }, { maxAge: Number.NaN }, { maxAge: 0 }].map(
        (options) => [world.sessions, {}, options],
      ),
      [world.sessions, {}, { maxAge: undefined }],
      [world.sessions, {}, {}, callback],
    ];
    for (const args of calls) await expect(sign(...args)).rejects.toEqual(refusal);
    expect(operations).toEqual([]);
  });
});

describe("liveSessions", () => {
  const build = (options: object): LiveSessions => liveSessions({ store, secret, ...options } as never);

  test.each([
    ["liveSessions() has no option `guest`. Write `guests` instead.", { guest: "allow" }],
    ["Write `touchIntervalMs` instead.", { touchInterval: 1 }],
    ["Write `saveUninitialized` instead.", { saveUninitialised: true }],
    ["Write `userId` instead.", { userID: () => "ada" }],
    ["Write `origins` instead.", { origin: [] }],
    ["Write `resave` instead.", { resaves: false }],
    ["Write `guests` instead.", { guest: undefined }],
    ["cookie: { maxAge: … }", { maxAge: 1000 }],
    ["`ttlMs`, in milliseconds", { ttl: 60 }],
    ["The options are `store`, `secret`, ", { passport: {} }],
    ["The options are", { [`x${"y".repeat(100_000)}`]: 1 }],
    ["`cookie` has no option `maxage`. Write `maxAge` instead.", { cookie: { maxage: 1000 } }],
    ["Write `sameSite` instead.", { cookie: { samesite: "lax" } }],
    ["`cookie` expects an object of options; it was null", { cookie: null }],
    [
      '`cookie.maxAge` expects a number of milliseconds, 100000000000000 at most; it was "1h"',
      { cookie: { maxAge: "1h" } },
    ],
    ["`cookie.maxAge` expects", { cookie: { maxAge: Number.POSITIVE_INFINITY } }],
    ["`cookie.secure` expects true or false", { cookie: { secure: "yes" } }],
    ["`cookie.httpOnly` expects true or false", { cookie: { httpOnly: 1 } }],
    ["option sameSite is invalid", { cookie: { sameSite: "loose" } }],
    ["option path is invalid", { cookie: { path: "/;x" } }],
    ["option domain is invalid", { cookie: { domain: "a b;" } }],
    ["argument name is invalid", { name: "my sid" }],
    ["`genid` expects a function; it was a string of 4 characters", { genid: "uuid" }],
    ['`unset` expects "destroy" or "keep"; it was "remove"', { unset: "remove" }],
    ["`rolling` expects true or false", { rolling: "false" }],
    ["`proxy` expects true or false", { proxy: 1 }],
    ["`saveUninitialized` expects true or false", { saveUninitialized: null }],
    ["`resave` expects false", { resave: "false" }],
    ["`clock` of liveSessions() expects an object with now() and after()", { clock: Date }],
    ["`device` expects a function", { device: "phone" }],
  ])("%s", (message, options) => {
    expect(() => build(options)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
    expect(() => build(options)).toThrow(message);
  });

  test.each([
    ["memoryStore() expects an object of options; it was null", () => memoryStore(null as never)],
    ["`clock` of memoryStore() expects", () => memoryStore({ clock: {} as never })],
    ["sqliteStore() has no option `file`", () => sqliteStore({ file: "a.db" } as never)],
    ["sqliteStore() expects an object of options; it was undefined", () => sqliteStore(undefined as never)],
    ["sqliteStore() expects an object of options", () => sqliteStore("a.db" as never)],
    ["`clock` of sqliteStore() expects", () => sqliteStore({ path: ":memory:", clock: 1 as never })],
  ])("of a store: %s", (message, open) => {
    expect(open).toThrow(message);
    expect(open).toThrow(refusal);
  });

  test("takes every option of express-session that it does not refuse, as it is", async () => {
    await build({
      name: "sid",
      key: "other",
      genid: () => "an id",
      proxy: undefined,
      rolling: true,
      resave: false,
      saveUninitialized: true,
      unset: "destroy",
      cookie: {
        path: "/",
        domain: "a.example",
        maxAge: null,
        expires: new Date(0),
        httpOnly: true,
        secure: "auto",
        sameSite: "auto",
        priority: "high",
        partitioned: true,
        signed: true,
        encode: encodeURIComponent,
        originalMaxAge: 1000,
      },
    }).close();
    await build({ proxy: true, cookie: () => ({}) }).close();
  });
});
