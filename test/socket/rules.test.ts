/** Rules at the moments that races are about, on the wire; and rules that time makes false. */
import type { Socket } from "socket.io";
import { forbiddenEvent, type RuleOptions, type SessionRule } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../recipe/waiting.ts";
import { disconnected, refused } from "../support/browser.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { type RawMessages, RawPolling, rawMessages } from "../support/raw-client.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
const raws: RawMessages[] = [];
afterEach(async () => {
  for (const raw of raws.splice(0)) raw.close();
  await world.close();
});

type Predicate = Parameters<World["sessions"]["require"]>[0];
const isAda: Predicate = ({ name }) => name === "ada";

interface Setting extends WorldOptions {
  readonly predicate?: Predicate;
  readonly rule?: RuleOptions;
  /** Handles sockets in `/admin`, where the rule is middleware. */
  readonly inside?: (socket: Socket, rule: SessionRule) => void;
}

async function start({ predicate = isAda, rule: options = {}, inside, ...rest }: Setting = {}) {
  let made: SessionRule | undefined;
  world = await startWorld({
    ...rest,
    sockets(io, sessions) {
      const rule = sessions.require(predicate, options);
      made = rule;
      io.of("/admin").use(rule);
      io.of("/admin").on("connection", (socket) => inside?.(socket, rule));
      rest.sockets?.(io, sessions);
    },
  });
  if (!made) throw new Error("Expected a rule.");
  return made;
}

/** A client by hand, in the main namespace and in `/admin`. */
async function raw(transport: string, cookie: string): Promise<RawMessages & { wire(): string }> {
  const one = await rawMessages(world.url, transport, cookie);
  raws.push(one);
  const wire = () => one.received.join("\n");
  await one.send("0");
  await until(() => wire().includes("40{"));
  await one.send("0/admin,");
  await until(() => wire().includes("40/admin,{"));
  return { ...one, wire };
}

const farewell = `42/admin,["${forbiddenEvent}",{"code":"SESSION_FORBIDDEN","namespace":"/admin"}]`;

describe.each(["polling", "websocket"])("on the wire, by %s", (transport) => {
  test("nothing follows the farewell, whoever sends it and when, and the connection goes on", async () => {
    const acts: (() => void)[] = [];
    await start({
      inside(socket) {
        const all = () => {
          world.io.of("/admin").emit("leak");
          socket.emit("leak");
          socket.broadcast.emit("leak");
        };
        acts.push(all);
        socket.session.on("change", all);
        socket.on("disconnecting", all);
        socket.on("disconnect", all);
        socket.on("wait", (done) => acts.push(() => done("leak")));
      },
      sockets: (io, sessions) => {
        sessions.on("change", () => void io.of("/admin").emit("leak"));
        io.on("connection", (socket) => void socket.on("echo", (done) => done("still here")));
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const clients = [await raw(transport, ada.cookie), await raw(transport, ada.cookie)];
    for (const client of clients) await client.send('2/admin,7["wait"]');
    await until(() => acts.length === 4);
    await ada.post("/write", { name: "eve" });
    for (const act of acts) act();
    for (const client of clients) await client.send('21["echo"]');
    await until(() => clients.every((client) => client.wire().includes("still here")));
    for (const client of clients) {
      expect(client.wire()).toContain(`${farewell}`);
      expect(client.wire()).toContain("41/admin,");
      expect(client.wire()).not.toContain("leak");
    }
    expect(world.errors).toEqual([]);
  });

  test("an event that the client sends after it reaches no handler, and closes nothing", async () => {
    const taken: unknown[] = [];
    await start({
      inside: (socket) => void socket.onAny((...event) => taken.push(event)),
      sockets: (io) => io.on("connection", (socket) => void socket.on("echo", (done) => done("still here"))),
    });
    const ada = await world.visitor({ name: "ada" });
    const client = await raw(transport, ada.cookie);
    await client.send('2/admin,["before"]');
    await until(() => taken.length === 1);
    await ada.post("/write", { name: "eve" });
    await client.send('2/admin,["after"]');
    await client.send("3/admin,0[]");
    await client.send('21["echo"]');
    await until(() => client.wire().includes("still here"));
    expect(taken).toEqual([["before"]]);
    await ada.post("/write", { name: "ada" });
    await client.send("0/admin,");
    await until(() => client.wire().split("40/admin,{").length === 3);
    await client.send('2/admin,["again"]');
    await until(() => taken.length === 2);
    expect(taken[1]).toEqual(["again"]);
  });

  test("an event whose handlers are still to be called goes to none of them", async () => {
    const taken: string[] = [];
    const passOn = Promise.withResolvers<() => void>();
    await start({
      inside(socket) {
        socket.use((_event, next) => passOn.resolve(next));
        socket.on("act", () => taken.push("act"));
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const client = await raw(transport, ada.cookie);
    await client.send('2/admin,["act"]');
    const next = await passOn.promise;
    await ada.post("/write", { name: "eve" });
    next();
    await settle();
    expect(taken).toEqual([]);
  });
});

test("messages that wait for the next poll are dropped with the namespace, and no others", async () => {
  await start();
  const ada = await world.visitor({ name: "ada" });
  const client = new RawPolling(world.url, { cookie: ada.cookie });
  await client.open();
  await client.send("POST", "40/admin,");
  await client.send("GET");
  const [side] = world.io.of("/admin").sockets.values();
  if (!side) throw new Error("Expected a socket.");
  world.io.emit("first", Buffer.from("kept"));
  side.emit("stale", Buffer.from("dropped"), Buffer.from("dropped"));
  side.emit("stale");
  world.io.emit("second");
  await ada.post("/write", { name: "eve" });
  world.io.emit("last");
  const { body } = await client.send("GET");
  expect(body.split("\x1e")).toEqual([
    '451-["first",{"_placeholder":true,"num":0}]',
    `b${Buffer.from("kept").toString("base64")}`,
    '42["second"]',
    farewell,
    "41/admin,",
    '42["last"]',
  ]);
});

test("a client that does not know yet that it is in the namespace still gets to know", async () => {
  await start();
  const ada = await world.visitor({ name: "ada" });
  const client = new RawPolling(world.url, { cookie: ada.cookie });
  await client.open();
  await client.send("POST", "40/admin,");
  await until(() => world.io.of("/admin").sockets.size === 1);
  await ada.post("/write", { name: "eve" });
  const { body } = await client.send("GET");
  expect(body.split("\x1e")).toEqual([expect.stringMatching(/^40\/admin,\{"sid"/), farewell, "41/admin,"]);
});

test("many sockets of many sessions: those of the changed one are out, before any listener is called", async () => {
  const others: number[] = [];
  await start({
    inside: (socket) =>
      void socket.on("disconnecting", () => others.push(world.io.of("/admin").sockets.size)),
  });
  const [ada, lovelace] = [await world.visitor({ name: "ada" }), await world.visitor({ name: "ada" })];
  const own = await Promise.all(Array.from({ length: 20 }, () => ada.connect("/admin")));
  const theirs = await Promise.all(Array.from({ length: 20 }, () => lovelace.connect("/admin")));
  const ends = Promise.all(own.map(disconnected));
  await ada.post("/write", { name: "eve" });
  expect(await ends).toEqual(Array(20).fill("io server disconnect"));
  expect(others).toEqual(Array(20).fill(20));
  expect(theirs.every((socket) => socket.connected)).toBe(true);
});

test("a socket that is still in middleware as the rule turns false is refused, by code", async () => {
  const held = Promise.withResolvers<() => void>();
  const welcomed: string[] = [];
  await start({
    sockets: (io) => void io.of("/admin").use((_socket, next) => held.resolve(next)),
    inside: ({ id }) => void welcomed.push(id),
  });
  const ada = await world.visitor({ name: "ada" });
  const client = ada.socket("/admin");
  const refusal = refused(client);
  const next = await held.promise;
  await ada.post("/write", { name: "eve" });
  next();
  expect(await refusal).toMatchObject({ data: { code: "SESSION_FORBIDDEN" } });
  expect(welcomed).toEqual([]);
  expect(world.io.of("/admin").sockets.size).toBe(0);
});

test("an end of the session is an end, with rules or without", async () => {
  await start();
  const ada = await world.visitor({ name: "ada" });
  const client = await ada.connect("/admin");
  const events: unknown[] = [];
  client.onAny((...event) => events.push(event));
  const left = disconnected(client);
  await ada.post("/logout");
  await left;
  expect(events).toEqual([["session:end", { reason: "destroyed" }]]);
});

describe("a login that has to be recent", () => {
  const stepUp = { code: "LOGIN_TOO_OLD", withinMs: 60_000, since: ({ m }: { m?: number }) => m };

  async function startRecent(clock: ManualClock) {
    const taken: string[] = [];
    const rule = await start({
      clock,
      store: memoryStore({ clock }),
      predicate: () => true,
      rule: stepUp,
      inside: (socket) => void socket.on("act", () => taken.push("act")),
      routes: (app, sessions) => {
        const recent = sessions.require(() => true, stepUp);
        app.get("/ruled", recent, (_request, response) => void response.send("in"));
      },
    });
    return { rule, taken };
  }

  test("runs out by itself: sockets are out at that time, and requests refused", async () => {
    const clock = new ManualClock();
    await startRecent(clock);
    const ada = await world.visitor({ m: clock.now() });
    const client = await ada.connect("/admin");
    const left = disconnected(client);
    await clock.advance(59_999);
    expect((await ada.request("/ruled")).status).toBe(200);
    expect(client.connected).toBe(true);
    await clock.advance(1);
    expect(await left).toBe("io server disconnect");
    expect((await ada.request("/ruled")).status).toBe(403);
    expect((await refused(ada.socket("/admin"))).data).toEqual({ code: "LOGIN_TOO_OLD" });
    await ada.post("/write", { m: clock.now() });
    await ada.connect("/admin");
    expect((await ada.request("/ruled")).status).toBe(200);
  });

  test("has run out for an event that arrives before the timer, as after a pause of the process", async () => {
    const clock = new ManualClock();
    const { taken } = await startRecent(clock);
    const ada = await world.visitor({ m: clock.now() });
    const client = await ada.connect("/admin");
    const left = disconnected(client);
    const now = clock.now();
    clock.now = () => now + 60_000; // no timer has fired
    client.emit("act");
    expect(await left).toBe("io server disconnect");
    expect(taken).toEqual([]);
  });

  test("starts again with a new login in the same session", async () => {
    const clock = new ManualClock();
    await startRecent(clock);
    const ada = await world.visitor({ m: clock.now() });
    const client = await ada.connect("/admin");
    await clock.advance(50_000);
    await ada.post("/write", { m: clock.now() });
    await clock.advance(59_999);
    expect(client.connected).toBe(true);
    const left = disconnected(client);
    await clock.advance(1);
    await left;
  });

  test.each([
    ["never", undefined],
    ["a minute and more ahead of the clock", 60_001],
    ["not a number", "a text"],
  ])("does not count: %s", async (_name, offset) => {
    const clock = new ManualClock();
    await startRecent(clock);
    const m = typeof offset === "number" ? clock.now() + offset : offset;
    const ada = await world.visitor({ m });
    expect((await ada.request("/ruled")).status).toBe(403);
    const reports = typeof offset === "string" ? [{ code: "INVALID_OPTION" }] : [];
    expect(world.errors).toMatchObject(reports);
  });
});

describe("predicates", () => {
  test("one that throws is false, and reported", async () => {
    const cause = new Error("no");
    await start({
      predicate: ({ name }) => {
        if (name === "ada") return true;
        throw cause;
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const left = disconnected(await ada.connect("/admin"));
    await ada.post("/write", { name: "eve" });
    expect(await left).toBe("io server disconnect");
    expect((await refused(ada.socket("/admin"))).data).toEqual({ code: "SESSION_FORBIDDEN" });
    expect(world.errors).toMatchObject([
      { code: "LISTENER_FAILED", cause },
      { code: "LISTENER_FAILED", cause },
    ]);
  });

  test.each([1, "yes", {}, undefined, null])("one that returns %s is false", async (value) => {
    await start({ predicate: () => value as unknown as boolean });
    const ada = await world.visitor();
    expect((await refused(ada.socket("/admin"))).data).toEqual({ code: "SESSION_FORBIDDEN" });
  });

  test("an async one is refused at once, and a promise at the first use", async () => {
    const promised = () => Promise.resolve(true) as unknown as boolean;
    await start({
      predicate: promised,
      routes: (app, sessions) => void app.get("/ruled", sessions.require(promised)),
    });
    const { sessions } = world;
    expect(() => sessions.require((async () => true) as unknown as Predicate)).toThrow(/no promise/);
    const ada = await world.visitor();
    expect((await ada.request("/ruled")).status).toBe(500);
    await refused(ada.socket("/admin"));
    expect(world.errors).toMatchObject([{ code: "LISTENER_FAILED", cause: { code: "INVALID_OPTION" } }]);
  });
});

describe("who has no session that is stored", () => {
  test("a guest is refused, and joins no guarded room", async () => {
    const outcomes: boolean[] = [];
    const rule = await start({
      guests: "allow",
      predicate: () => true,
      sockets: (io) => void io.on("connection", (socket) => outcomes.push(rule.room(socket, "room"))),
    });
    const guest = world.browser();
    expect((await refused(guest.socket("/admin"))).data).toEqual({ code: "SESSION_REQUIRED" });
    await guest.connect("/");
    expect(outcomes).toEqual([false]);
  });

  test("a guest with a session is one until something is written to it", async () => {
    await start({ guests: "create", predicate: () => true });
    const guest = world.browser();
    expect((await refused(guest.socket("/admin"))).data).toEqual({ code: "SESSION_REQUIRED" });
  });

  test("a ticket proves the session, and the rule follows it", async () => {
    await start({ routes: (app, sessions) => void app.use("/session", sessions.routes()) });
    const ada = await world.visitor({ name: "ada" });
    const { ticket } = JSON.parse(await ada.post("/session/ticket"));
    const client = await world.browser().connect("/admin", { auth: { ticket } });
    const left = disconnected(client);
    await ada.post("/write", { name: "eve" });
    expect(await left).toBe("io server disconnect");
  });

  test("an exempt namespace may have a rule, which guests don't satisfy", async () => {
    await start({ attach: { exempt: ["/admin"] } });
    expect((await refused(world.browser().socket("/admin"))).data).toEqual({ code: "SESSION_REQUIRED" });
    const left = disconnected(await (await world.visitor()).connect("/admin"));
    const [side] = world.io.of("/admin").sockets.values();
    await side?.session.update((s) => {
      s.name = "eve";
    });
    expect(await left).toBe("io server disconnect");
  });
});

describe("requests", () => {
  test("after a logout there is no session, and without sessions.express() it is a mistake", async () => {
    world = await startWorld({
      routes(app, sessions) {
        const rule = sessions.require(isAda);
        app.get("/out", (req, _res, next) => req.session.destroy(next), rule);
        app.get(
          "/bare",
          (req, _res, next) => {
            Reflect.deleteProperty(req, "session");
            Reflect.deleteProperty(req, "sessionStore");
            next();
          },
          rule,
        );
      },
    });
    const ada = await world.visitor({ name: "ada" });
    expect((await ada.request("/bare")).status).toBe(500);
    expect((await ada.request("/out")).status).toBe(401);
  });

  test("a rule sees what the request has stored, not what it may still store", async () => {
    world = await startWorld({
      routes(app, sessions) {
        const rule = sessions.require(isAda);
        app.get(
          "/unsaved",
          (req, _res, next) => {
            req.session.name = "ada";
            next();
          },
          rule,
        );
        app.get(
          "/saved",
          (req, _res, next) => {
            req.session.name = "ada";
            req.session.save(next);
          },
          rule,
          (_req, res) => void res.send("in"),
        );
      },
    });
    const eve = await world.visitor({ name: "eve" });
    expect((await eve.request("/unsaved")).status).toBe(403);
    await eve.post("/write", { name: "eve" });
    expect(await eve.get("/saved")).toBe("in");
  });
});

test("a room is left at once on this node, however long the adapter takes", async () => {
  const slow = Promise.withResolvers<void>();
  await start({
    predicate: () => true,
    sockets(io, sessions) {
      const rule = sessions.require(isAda);
      const { adapter } = io.of("/admin");
      const del = adapter.del.bind(adapter);
      adapter.del = async (...args) => {
        await slow.promise;
        del(...args);
      };
      io.of("/admin").on("connection", (socket) => {
        socket.on("join", (done) => done(rule.room(socket, "adas")));
      });
    },
  });
  const ada = await world.visitor({ name: "ada" });
  const client = await ada.connect("/admin");
  const events: unknown[] = [];
  client.onAny((...event) => events.push(event));
  await client.emitWithAck("join");
  await ada.post("/write", { name: "eve" });
  world.io.of("/admin").to("adas").emit("leak");
  expect(await client.emitWithAck("join")).toBe(false);
  slow.resolve();
  expect(events).toEqual([[forbiddenEvent, { code: "SESSION_FORBIDDEN", room: "adas" }]]);
});

test.each([
  ["no function", [undefined]],
  ["an unknown option", [isAda, { status: 404 }]],
  ["an empty code", [isAda, { code: "" }]],
  ["a code that is too long", [isAda, { code: "x".repeat(101) }]],
  ["a code that is no text", [isAda, { code: 403 }]],
  ["withinMs without since", [isAda, { withinMs: 1_000 }]],
  ["since without withinMs", [isAda, { since: () => 0 }]],
  ["withinMs that is no number", [isAda, { withinMs: "1 h", since: () => 0 }]],
  ["an async since", [isAda, { withinMs: 1_000, since: async () => 0 }]],
])("sessions.require() refuses %s", async (_name, args) => {
  world = await startWorld();
  const { sessions } = world;
  expect(() => Reflect.apply(sessions.require, sessions, args)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION" }),
  );
});

test("a rule refuses sockets of other sessions, and what is neither socket nor request", async () => {
  const rule = await start();
  const other = await startWorld();
  const ada = await world.visitor({ name: "ada" });
  await ada.connect("/admin");
  const [side] = world.io.of("/admin").sockets.values();
  if (!side) throw new Error("Expected a socket.");
  const foreign = other.sessions.require(isAda);
  const invalid = expect.objectContaining({ code: "INVALID_OPTION" });
  expect(() => foreign.room(side, "room")).toThrow(invalid);
  expect(() => rule.room(side, "")).toThrow(invalid);
  expect(() => Reflect.apply(rule, undefined, [{}, {}, () => {}])).toThrow(invalid);
  expect(() => Reflect.apply(rule, undefined, [side])).toThrow(invalid);
  expect(rule.room(side, "room")).toBe(true);
  await other.close();
});

test("a room under two rules is left when either turns false, and an adapter that joins late does not bring it back", async () => {
  const late = Promise.withResolvers<void>();
  const outcomes: boolean[] = [];
  await start({
    predicate: () => true,
    sockets(io, sessions) {
      const rules = [sessions.require(isAda), sessions.require(({ n }) => n === 1, { code: "NOT_ONE" })];
      const { adapter } = io.of("/admin");
      const addAll = adapter.addAll.bind(adapter);
      adapter.addAll = async (id, rooms) => {
        if (rooms.has("late")) await late.promise;
        addAll(id, rooms);
      };
      io.of("/admin").on("connection", (socket) => {
        for (const room of ["both", "late"]) for (const rule of rules) outcomes.push(rule.room(socket, room));
      });
    },
  });
  const ada = await world.visitor({ name: "ada", n: 1 });
  const client = await ada.connect("/admin");
  const events: unknown[] = [];
  client.onAny((...event) => events.push(event));
  await ada.post("/write", { n: 2 });
  const [side] = world.io.of("/admin").sockets.values();
  late.resolve();
  await settle();
  expect(outcomes).toEqual([true, true, true, true]);
  expect([...(side?.rooms ?? [])]).toEqual([side?.id]);
  await until(() => events.length === 1);
  expect(events).toEqual([[forbiddenEvent, { code: "NOT_ONE", room: "both" }]]);
});

test("a socket that is gone joins no room, and holds nothing: a handler may ask late, or its rule disconnect it", async () => {
  const sockets: Socket[] = [];
  const rule = await start({ sockets: (io) => void io.on("connection", (socket) => sockets.push(socket)) });
  const disconnecting = world.sessions.require(() => {
    for (const socket of sockets) socket.disconnect();
    return true;
  });
  const ada = await world.visitor({ name: "ada" });
  const clients = [await ada.connect(), await ada.connect()];
  const [first, second] = sockets;
  if (!first || !second) throw new Error("Expected two sockets.");
  const gone = new Promise((resolve) => first.once("disconnect", resolve));
  clients[0]?.disconnect();
  await gone;
  expect(rule.room(first, "adas")).toBe(false);
  expect(disconnecting.room(second, "adas")).toBe(false);
  await expect.poll(() => world.sessions.stats().live).toBe(0);
});
