/** `attach(io, { share })` at the moments and in the orders that matter. On every store: `test/promises/share.test.ts`. */
import type { Server } from "socket.io";
import type { Socket } from "socket.io-client";
import { memoryStore } from "socket-session/memory";
import { type StateMessage, stateEvent } from "socket-session/protocol";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Browser, connected, disconnected } from "../support/browser.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { rawMessages } from "../support/raw-client.ts";
import { statesOf } from "../support/states.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;

type Share = NonNullable<NonNullable<WorldOptions["attach"]>["share"]>;

/** Handlers answer `update` after they have changed the session by its argument. */
const answering = (io: Server) => {
  for (const namespace of ["/", "/other", /^\/dynamic-/] as const)
    io.of(namespace).on("connection", (socket) => {
      socket.on("sync", (done) => done());
      socket.on("update", async (changes: object, done) => {
        await socket.session.update((s) => void Object.assign(s, changes));
        socket.emit("updated");
        done();
      });
    });
};

async function start(share: Share | undefined, options: WorldOptions = {}): Promise<World> {
  const attach = { ...options.attach, ...(share !== undefined && { share }) };
  const started = await startWorld({ sockets: answering, ...options, attach });
  onTestFinished(() => started.close());
  world = started;
  return started;
}

/** The events that a client receives, by name, and the data of its states. */
async function join(visitor: Browser, namespace = "/", options = {}) {
  const socket: Socket = visitor.socket(namespace, options);
  const events: string[] = [];
  socket.onAny((name, message?: StateMessage) => {
    events.push(name === stateEvent ? `state ${JSON.stringify(message?.data)}` : name);
  });
  await connected(socket);
  return { socket, events };
}

describe("state messages", () => {
  test("are none without `share`", async () => {
    await start(undefined);
    const { socket, events } = await join(await world.visitor());
    await socket.emitWithAck("update", { name: "lovelace" });
    expect(events).toEqual(["updated"]);
  });

  test("are none that would say the same, and `share` is called once for each version of the data", async () => {
    const versions: unknown[] = [];
    const share: Share = (data) => {
      versions.push(data);
      return { name: data.name };
    };
    const clock = new ManualClock();
    await start(share, { store: memoryStore({ clock }), clock, touchIntervalMs: 0 });
    const ada = await world.visitor({ name: "ada" });
    const tabs = [await join(ada), await join(ada), await join(ada, "/other"), await join(ada, "/dynamic-1")];
    expect(versions).toEqual([{ name: "ada" }]);
    await ada.post("/write", { m: 1 });
    await clock.advance(500);
    for (const { socket } of tabs) await socket.emitWithAck("sync"); // each extends the session by half a second
    await ada.post("/write", { name: "lovelace" });
    for (const { socket, events } of tabs) {
      await socket.emitWithAck("sync");
      expect(events).toEqual(['state {"name":"ada"}', 'state {"name":"lovelace"}']);
    }
    expect(versions).toEqual([{ name: "ada" }, { name: "ada", m: 1 }, { name: "lovelace", m: 1 }]);
  });

  test("come again when small moves of the deadline have added up, or the cookie lives otherwise", async () => {
    const clock = new ManualClock();
    await start(() => undefined, {
      store: memoryStore({ clock }),
      clock,
      touchIntervalMs: 0,
      ttlMs: 3_600_000,
      routes: (app) => {
        app.post("/remember", (req, res) => {
          req.session.cookie.maxAge = 3_600_000;
          res.send("remembered");
        });
      },
    });
    const ada = await world.visitor();
    const socket = ada.socket();
    const states = statesOf(socket);
    await connected(socket);
    for (const told of [1, 2, 2]) {
      await clock.advance(500);
      await socket.emitWithAck("sync");
      await socket.emitWithAck("sync");
      expect([states.length, states.at(-1)]).toEqual([told, expect.objectContaining({ leftMs: 3_600_000 })]);
    }
    await clock.advance(1);
    await ada.post("/remember");
    await socket.emitWithAck("sync");
    expect(states.at(-1)).toMatchObject({ state: "live", cookieMs: expect.closeTo(3_600_000, -2) });
    expect(states.length).toBe(3);
  });

  test("come before what the application sends after the change, on any socket", async () => {
    await start(({ name }) => name, {
      sockets: (io, sessions) => {
        answering(io);
        io.use((socket, next) => {
          socket.session.on("change", () => void io.emit("listener of a socket"));
          next();
        });
        sessions.on("change", () => void io.emit("listener of sessions"));
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const tabs = [await join(ada), await join(ada)];
    const [first] = tabs;
    await first?.socket.emitWithAck("update", { name: "lovelace" });
    for (const { socket, events } of tabs) {
      await socket.emitWithAck("sync");
      expect(events.slice(0, 2)).toEqual(['state "ada"', 'state "lovelace"']);
      expect(events).toContain("listener of a socket");
      expect(events).toContain("listener of sessions");
    }
    expect(first?.events.at(-1)).toBe("updated");
  });

  test("go to no exempt namespace, and to no other session", async () => {
    await start(({ name }) => name, { attach: { exempt: ["/other"] } });
    const [ada, eve] = [await world.visitor({ name: "ada" }), await world.visitor({ name: "eve" })];
    const [exempt, main, stranger] = [await join(ada, "/other"), await join(ada), await join(eve)];
    await main.socket.emitWithAck("update", { name: "lovelace" });
    await exempt.socket.emitWithAck("sync");
    await stranger.socket.emitWithAck("sync");
    expect(exempt.events).toEqual([]);
    expect(stranger.events).toEqual(['state "eve"']);
  });

  const ruled = (io: Server, sessions: World["sessions"]) => {
    answering(io);
    io.of("/admin").use(sessions.require(({ name }) => name === "ada"));
  };

  test.each([
    ["/", "/admin"],
    ["/admin", "/"],
  ])(
    "go to no socket that the same change takes out of its namespace: first %s, then %s",
    async (...order) => {
      await start(({ name }) => name, { sockets: ruled });
      const ada = await world.visitor({ name: "ada" });
      const joined = new Map<string, Awaited<ReturnType<typeof join>>>();
      for (const namespace of order) joined.set(namespace, await join(ada, namespace));
      const [main, admin] = [joined.get("/"), joined.get("/admin")];
      const gone = admin && disconnected(admin.socket);
      await main?.socket.emitWithAck("update", { name: "eve" });
      await gone;
      expect(admin?.events).toEqual(['state "ada"', "session:forbidden"]);
      expect(main?.events).toEqual(['state "ada"', 'state "eve"', "updated"]);
    },
  );

  test("nor after that, on the wire, if the adapter fails as the socket leaves", async () => {
    await start(({ name }) => name, { sockets: ruled });
    const ada = await world.visitor({ name: "ada" });
    const raw = await rawMessages(world.url, "websocket", ada.cookie);
    onTestFinished(() => raw.close());
    const wire = () => raw.received.join("\n");
    await raw.send("0/admin,");
    await expect.poll(wire).toContain('42/admin,["session:state"');
    vi.spyOn(world.io.of("/admin").adapter, "delAll").mockImplementationOnce(() => {
      throw new Error("the adapter fails");
    });
    await ada.post("/write", { name: "eve" });
    await raw.send("0");
    await expect.poll(wire).toContain('42["session:state"');
    expect(wire()).toContain('42/admin,["session:forbidden"');
    expect(wire().match(/42\/admin,\["session:state"/g)).toHaveLength(1);
  });

  test("go to no socket that is silent, as its session got another id", async () => {
    await start(({ name }) => name);
    const ada = await world.visitor({ name: "ada" });
    const { socket, events } = await join(ada, "/", { reconnection: false, transports: ["websocket"] });
    const gone = disconnected(socket);
    await ada.post("/login", { name: "lovelace" });
    await gone;
    expect(events).toEqual(['state "ada"', "session:end"]); // as replaced
  });

  test("are not kept for a recovery: a client that comes back is told the state of that moment, once", async () => {
    await start(({ name }) => name, { io: { connectionStateRecovery: { skipMiddlewares: true } } });
    const ada = await world.visitor({ name: "ada" });
    const { socket, events } = await join(ada, "/", {
      transports: ["websocket"],
      reconnection: false,
    });
    await socket.emitWithAck("update", { name: "lovelace" }); // an offset to come back with
    const back = new Promise((resolve) => socket.once("connect", () => resolve(0)));
    const gone = disconnected(socket);
    socket.io.engine.close();
    await gone;
    await ada.post("/write", { name: "king" });
    await ada.post("/write", { name: "byron" });
    socket.connect();
    await back;
    await socket.emitWithAck("sync");
    expect(socket.recovered).toBe(true);
    expect(events).toEqual(['state "ada"', 'state "lovelace"', "updated", 'state "byron"']);
  });

  test("hold nothing of a socket that is gone as it connects", async () => {
    await start(({ name }) => {
      world.io.disconnectSockets();
      return name;
    });
    const ada = await world.visitor({ name: "ada" });
    const socket = ada.socket("/", { reconnection: false });
    await disconnected(socket);
    await expect.poll(() => world.sessions.stats().live).toBe(0);
  });

  test("hold nothing of a socket that a rule takes out with its `CONNECT`", async () => {
    const clock = new ManualClock();
    const frozen = vi.spyOn(clock, "now");
    await start(({ name }) => name, {
      store: memoryStore({ clock }),
      clock,
      sockets: (io, sessions) => {
        const since = clock.now();
        io.use(sessions.require(() => true, { withinMs: 1_000, since: () => since }));
        const { adapter } = io.of("/");
        const addAll = adapter.addAll.bind(adapter);
        vi.spyOn(adapter, "addAll").mockImplementation((...args) => {
          frozen.mockReturnValue(since + 1_000); // no timer of the rule runs before
          return addAll(...args);
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const raw = await rawMessages(world.url, "websocket", ada.cookie);
    onTestFinished(() => raw.close());
    await raw.send("0");
    await expect.poll(() => raw.received.join("\n")).toContain("41");
    expect(raw.received.join("\n")).not.toContain(stateEvent);
    raw.close();
    await expect.poll(() => world.sessions.stats().live).toBe(0);
  });

  test("hold nothing once the sockets are gone", async () => {
    await start(({ name }) => name);
    const ada = await world.visitor({ name: "ada" });
    const [main, other] = [await join(ada), await join(ada, "/other")];
    main.socket.disconnect();
    await other.socket.emitWithAck("update", { name: "lovelace" });
    expect(other.events).toEqual(['state "ada"', 'state "lovelace"', "updated"]);
    other.socket.disconnect();
    await expect.poll(() => world.sessions.stats().live).toBe(0);
    expect(main.events).toEqual(['state "ada"']);
  });
});

describe("`share`", () => {
  test.each<[string, unknown, string]>([
    ["async", async () => ({}), "and no promise"],
    ["a text", "name", "expects a function of the session's data"],
    ["null", null, "expects a function of the session's data"],
  ])("that is %s is refused before anything is attached", async (_name, share, message) => {
    const attempt = start(share as Share);
    await expect(attempt).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await expect(start(share as Share)).rejects.toThrow(message);
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  test.each<[string, (data: object) => unknown]>([
    [
      "throws",
      () => {
        throw new Error("of the application");
      },
    ],
    ["returns a promise", () => Promise.resolve({ name: "ada" })],
    ["returns a promise that rejects", () => Promise.reject(new Error("late"))],
    ["returns a function", () => () => "ada"],
    ["returns an object with a function", () => ({ name: "ada", greet: () => "hello" })],
    ["returns a symbol", () => Symbol("ada")],
    ["returns a Map", () => new Map([["name", "ada"]])],
    ["returns a Map deep inside", () => ({ list: [{ map: new Map() }] })],
    ["returns a BigInt", () => ({ n: 1n })],
    ["returns a cycle", () => cycle],
    [
      "returns a getter that throws",
      () => ({
        get name() {
          throw new Error("of the application");
        },
      }),
    ],
    ["returns what throws at each access", () => new Proxy({}, { get: () => JSON.parse("") })],
    ["writes to the data", (data) => Object.assign(data, { name: "eve" })],
  ])("that %s is reported, and shares nothing; the session goes on", async (_name, share) => {
    await start(share);
    const ada = await world.visitor({ name: "ada" });
    const { socket, events } = await join(ada);
    await socket.emitWithAck("update", { m: 1 });
    expect(events).toEqual(["state undefined", "updated"]);
    const codes = new Set(world.errors.map((error) => Reflect.get(Object(error), "code")));
    expect([...codes].filter((code) => code !== "LISTENER_FAILED")).toEqual([]);
    expect(world.errors.length).toBeGreaterThanOrEqual(2); // once for each version of the data
    expect(String(world.errors[0])).toContain("The `share` function, so that nothing was shared, failed");
    expect(await ada.get("/session")).toContain('"ada"');
  });

  test.each<[string, unknown, unknown]>([
    ["null", null, null],
    ["a text", "ada", "ada"],
    ["false", false, false],
    ["a Date, as its text", new Date(0), "1970-01-01T00:00:00.000Z"],
    [
      "a key `__proto__` as a key",
      JSON.parse('{"__proto__":{"admin":true}}'),
      { ["__proto__"]: { admin: true } },
    ],
    ["much", { big: "a".repeat(2_000_000) }, { big: "a".repeat(2_000_000) }],
  ])("may return %s", async (_name, shared, expected) => {
    await start(() => shared);
    const socket = (await world.visitor()).socket();
    const states = statesOf(socket);
    await connected(socket);
    await socket.emitWithAck("sync");
    expect(states.map(({ data }) => JSON.stringify(data))).toEqual([JSON.stringify(expected)]);
    expect(world.errors).toEqual([]);
  });

  test("gets the frozen data of `socket.session`", async () => {
    const seen: unknown[] = [];
    await start((data) => void seen.push(data), {
      sockets: (io) => io.on("connection", ({ session }) => seen.push(session.data)),
    });
    await join(await world.visitor({ nested: { deep: { value: 1 } } }));
    expect(seen[0]).toBe(seen[1]);
    expect(Object.isFrozen(Reflect.get(Object(seen[0]), "nested"))).toBe(true);
  });
});
