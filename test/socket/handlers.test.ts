/** The arguments of socket handlers, and the handling of their errors. */
import { runInNewContext } from "node:vm";
import { type Server, Socket } from "socket.io";
import { SocketSessionError } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test, vi } from "vitest";
import { connected } from "../support/browser.ts";
import { namespaces, serverSockets } from "../support/handlers.ts";
import { namespaceKinds, transportKinds } from "../support/matrix.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(async () => {
  vi.restoreAllMocks();
  await world.close();
});

const everywhere = (io: Server, install: (socket: Socket) => void) => {
  for (const namespace of namespaces) io.of(namespace).on("connection", install);
};

async function start(install: (socket: Socket) => void, options: WorldOptions = {}) {
  world = await startWorld({ sockets: (io) => everywhere(io, install), ...options });
  return world.visitor({ name: "ada" });
}

const messages = () => world.errors.map((error) => (error as Error).message).sort();

describe.each(namespaceKinds)("an error in $name", ({ namespace }) => {
  test("is reported with the event and the place", async () => {
    const boom = (): never => {
      throw new Error("boom");
    };
    const ada = await start((socket) => {
      socket.on("rename", boom);
      socket.once("once", async () => boom());
      socket.prependListener("first", boom);
      socket.prependOnceListener("first once", boom);
      socket.use(([event], next) => (event === "used" ? boom() : next()));
      socket.onAny((event) => event === "any" && boom());
      socket.prependAny(async (event) => event === "any first" && boom());
      socket.onAnyOutgoing((event) => event === "out" && boom());
      socket.prependAnyOutgoing(async (event) => event === "out first" && boom());
      socket.on("send", () => {
        socket.emit("out");
        socket.emit("out first");
      });
      socket.on("disconnect", boom);
    });
    const socket = await ada.connect(namespace);
    for (const event of ["rename", "once", "first", "first once", "used", "any", "any first", "send"])
      socket.emit(event);
    await expect.poll(messages).toHaveLength(9);
    socket.disconnect();
    await expect
      .poll(messages)
      .toEqual([
        `A handler of "disconnect" in ${namespace} failed: Error. See its cause.`,
        `A handler of "first once" in ${namespace} failed: Error. See its cause.`,
        `A handler of "first" in ${namespace} failed: Error. See its cause.`,
        `A handler of "once" in ${namespace} failed: Error. See its cause.`,
        `A handler of "rename" in ${namespace} failed: Error. See its cause.`,
        `A listener of all events in ${namespace}, called for "any first", failed: Error. See its cause.`,
        `A listener of all events in ${namespace}, called for "any", failed: Error. See its cause.`,
        `A listener of all events in ${namespace}, called for "out first", failed: Error. See its cause.`,
        `A listener of all events in ${namespace}, called for "out", failed: Error. See its cause.`,
        `A middleware of a socket in ${namespace}, called for "used", failed: Error. See its cause.`,
      ]);
    for (const error of world.errors)
      expect(error).toMatchObject({ code: "LISTENER_FAILED", cause: new Error("boom") });
  });

  test("is reported for its connection handlers and middleware as well", async () => {
    const ada = await start(async () => {
      throw new Error("boom");
    });
    await connected(await ada.connect(namespace));
    await expect
      .poll(messages)
      .toEqual([`A handler of "connection" in ${namespace} failed: Error. See its cause.`]);
    world.io._nsps.get(namespace)?.use(() => {
      throw new Error("bang");
    });
    await expect(connected(ada.socket(namespace))).rejects.toThrow("internal error");
    expect(messages()).toContain(`A middleware in ${namespace} failed: Error. See its cause.`);
  });
});

describe("a message", () => {
  test("has a client's event on one line, and only a part of it", async () => {
    const ada = await start((socket) =>
      socket.onAny(() => {
        throw new Error("boom");
      }),
    );
    const socket = await ada.connect();
    socket.emit(`a\nforged line${"x".repeat(10_000)}`);
    await expect.poll(messages).toHaveLength(1);
    expect(messages()[0]).toMatch(/^A listener .*"a\\nforged linex+", failed: Error\. See its cause\.$/);
    expect(messages()[0]?.length).toBeLessThan(200);
  });
});

type Settle = (value?: unknown) => void;

function thenable(then: (resolve: Settle, reject: Settle) => void): object {
  const made = {};
  Reflect.set(made, "then", then);
  return made;
}

describe("any rejection of a handler", () => {
  const isOther = () => runInNewContext("Promise.reject(new Error('of another realm'))");
  const given: [string, () => unknown, unknown][] = [
    ["a rejected promise of another realm", isOther, /failed: Error\. See/],
    [
      "a rejected thenable",
      () => thenable((_resolve, reject) => reject(new TypeError("thenable"))),
      /failed: TypeError\. See/,
    ],
    [
      "a thenable that throws",
      () =>
        thenable(() => {
          throw new RangeError("then");
        }),
      /failed: RangeError\. See/,
    ],
    [
      "a rejection with what is no text",
      () => Promise.reject(Object.create(null)),
      /failed: a thrown object\. See/,
    ],
    ["a rejection with a symbol", () => Promise.reject(Symbol("s")), /failed: a thrown symbol\. See/],
    ["a rejection with nothing", () => Promise.reject(), /failed: a thrown undefined\. See/],
  ];

  test.each(given)("%s is reported, from wherever it comes", async (_name, give, message) => {
    const fail = give as () => Promise<void>;
    world = await startWorld({
      sockets: (io, sessions) => {
        sessions.on("change", fail);
        io.of("/failing").use(fail);
        io.on("connection", (socket) => {
          socket.session.on("change", fail);
          socket.on("event", fail);
          socket.onAny(fail);
        });
        io.on("connection", fail);
      },
    });
    const ada = await world.visitor();
    const socket = await ada.connect();
    socket.emit("event");
    await expect(connected(socket.io.socket("/failing"))).rejects.toThrow("internal error");
    await ada.post("/write", { n: 1 });
    await expect.poll(messages).toHaveLength(6);
    for (const text of messages()) expect(text).toMatch(message as RegExp);
    expect(socket.connected).toBe(true);
  });

  test("a thenable that succeeds is not touched", async () => {
    const ada = await start((socket) => {
      socket.on("event", (done) => thenable((resolve) => resolve(done())));
    });
    await (await ada.connect()).emitWithAck("event");
    expect(world.errors).toEqual([]);
  });
});

describe("a handler that is not a function", () => {
  const methods = [
    ...["on", "addListener", "once", "prependListener", "prependOnceListener"].map((name) => [name, "x"]),
    ...["onAny", "prependAny", "onAnyOutgoing", "prependAnyOutgoing", "use"].map((name) => [name]),
  ];

  test.each(methods)("is refused by %s, as by Node's own emitter", async (method = "", ...event) => {
    const ada = await start((socket) => {
      socket.on("read", (done) => done(socket.session.data));
    });
    const socket = await ada.connect();
    const [serverSide] = serverSockets(world.io);
    if (!serverSide) throw new Error("no socket");
    for (const wrong of [undefined, null, "text", {}]) {
      expect(() => Reflect.get(serverSide, method).call(serverSide, ...event, wrong)).toThrow(
        expect.objectContaining({ name: "TypeError", code: "ERR_INVALID_ARG_TYPE" }),
      );
    }
    socket.emit("x");
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    expect(world.errors).toEqual([]);
  });
});

describe.each(transportKinds)("by $name", ({ transports }) => {
  test.each(namespaceKinds)(
    "an event that was passed on just before a login reaches no handler in $name, and the end does",
    async ({ namespace }) => {
      const heard: string[] = [];
      let sid = "";
      const ada = await start(
        (socket) => {
          const regenerate = () =>
            world.sessions.store().regenerate({ sessionID: sid, session: {} } as never, () => {});
          socket.use(async ([event], next) => {
            await null;
            next(event === "fails" ? new Error("no") : undefined);
            if (event !== "before") regenerate();
          });
          for (const event of ["before", "passed on", "fails", "error", "disconnecting", "disconnect"])
            socket.on(event, () => heard.push(event));
          socket.once("passed on", () => heard.push("once"));
        },
        { store: memoryStore(), rebindMs: 0 },
      );
      ({ id: sid } = JSON.parse(await ada.get("/session")));
      const socket = await ada.connect(namespace, { transports: [...transports], reconnection: false });
      socket.emit("before");
      await expect.poll(() => heard).toEqual(["before"]);
      socket.emit("passed on");
      await expect.poll(() => heard).toEqual(["before", "disconnecting", "disconnect"]);
    },
  );
});

describe("without an error listener", () => {
  const warnings = () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    world.sessions.removeAllListeners("error");
    return warned;
  };

  test("a bug becomes a warning with the event, its places and the cure, without its message or cause", async () => {
    const ada = await start((socket) => {
      socket.on("rename", function renameHandler() {
        throw new Error("boom", { cause: new Error("a driver's, with sess:secret") });
      });
    });
    const socket = await ada.connect();
    const warned = warnings();
    socket.emit("rename");
    await expect.poll(() => warned.mock.calls.length).toBe(1);
    const [message, options] = warned.mock.calls[0] as unknown as [string, Record<string, string>];
    expect(message).toBe('A handler of "rename" in / failed: Error. See its cause.');
    expect(options).toMatchObject({ type: "SocketSessionError", code: "LISTENER_FAILED" });
    expect(options.detail).toMatch(/^ +at .*renameHandler.*handlers\.test\.ts:\d+/);
    expect(options.detail).not.toContain("boom");
    expect(options.detail).toContain('sessions.on("error"');
    expect(JSON.stringify(warned.mock.calls)).not.toContain("sess:secret");
  });

  test("the stack of the error is where the application threw, without its message", async () => {
    const ada = await start((socket) => {
      socket.on("rename", function renameHandler() {
        throw new Error("boom");
      });
    });
    const socket = await ada.connect();
    socket.emit("rename");
    await expect.poll(() => world.errors.length).toBe(1);
    const [{ stack }] = world.errors as [Error];
    expect(stack).toMatch(
      /^SocketSessionError: A handler of "rename" in \/ failed: Error\. See its cause\.\n +at .*renameHandler.*handlers\.test\.ts:\d+/,
    );
    expect(stack).not.toContain("boom");
  });

  test("the message of another package's error is in neither message nor warning, that of this package in both", async () => {
    const raw = new URIError("sess:secret\n    at secret (postgres://app:hunter2@db:5432:1)");
    const own = new SocketSessionError("STORE_OPEN", "The file is gone.");
    const ada = await start((socket) => {
      socket.on("raw", () => {
        throw Object.assign(raw, { code: "EPIPE" });
      });
      socket.on("own", () => {
        throw own;
      });
    });
    const socket = await ada.connect();
    socket.emit("raw");
    socket.emit("own");
    await expect
      .poll(messages)
      .toEqual([
        'A handler of "own" in / failed: SocketSessionError STORE_OPEN: The file is gone.',
        'A handler of "raw" in / failed: URIError EPIPE. See its cause.',
      ]);
    expect(world.errors).toMatchObject([{ cause: raw }, { cause: own }]);
    const warned = warnings();
    socket.emit("raw");
    await expect.poll(() => warned.mock.calls.length).toBe(1);
    expect(JSON.stringify(warned.mock.calls)).toMatch(/failed: URIError EPIPE\. .*handlers\.test\.ts:\d+/);
    expect(JSON.stringify(warned.mock.calls)).not.toMatch(/secret|hunter2/);
  });

  const trap = (): never => {
    throw new Error("a trap");
  };
  const broken = (name: string) => Object.defineProperty(new Error("x"), name, { get: trap });
  test.each<[string, unknown]>([
    ["no stack", broken("stack")],
    ["no message", broken("message")],
    ["no name", broken("name")],
    ["no code", broken("code")],
    ["no constructor", broken("constructor")],
    ["a stack that is no text", Object.assign(new Error("x"), { stack: { split: trap, toString: trap } })],
    ["a message that is no text", Object.assign(new Error("x"), { message: { toString: trap } })],
    ["a name that is no text", Object.assign(new Error("x"), { name: { toString: trap } })],
    [
      "a message of a subclass",
      new (class extends Error {
        override get message(): string {
          return trap();
        }
      })(),
    ],
    [
      "a message of an error of this package",
      Object.defineProperty(new SocketSessionError("STORE_OPEN", "x"), "message", { get: trap }),
    ],
    ["a proxy", new Proxy(new Error("x"), { get: trap, getPrototypeOf: trap })],
    ["an error of another realm", runInNewContext("new Error('x')")],
  ])("an error with %s that can be read does not end the process", async (_name, thrown) => {
    const ada = await start((socket) => {
      socket.on("throw", () => {
        throw thrown;
      });
      socket.on("reject", async () => {
        throw thrown;
      });
    });
    const socket = await ada.connect();
    const warned = warnings();
    socket.emit("throw");
    socket.emit("reject");
    await expect
      .poll(() => warned.mock.calls.map(([message]) => String(message).slice(0, 22)).sort())
      .toEqual(['A handler of "reject" ', 'A handler of "throw" i']);
    expect(serverSockets(world.io)).toHaveLength(1);
  });

  test("an error of the store that a callback rethrows is shown by its places alone", async () => {
    world = await startWorld({
      routes: (app) =>
        app.post("/save", (req, res) => {
          req.session.save(function saved() {
            res.send("sent");
            throw new Error("the store's, with sess:secret");
          });
        }),
    });
    const ada = await world.visitor();
    const warned = warnings();
    await ada.post("/save");
    await expect.poll(() => warned.mock.calls.length).toBe(1);
    const [, options] = warned.mock.calls[0] as unknown as [string, Record<string, string>];
    expect(options.detail).toMatch(/^ +at .*saved.*handlers\.test\.ts:\d+/);
    expect(JSON.stringify(warned.mock.calls)).not.toContain("sess:secret");
  });

  test("an error of the store becomes a warning without a stack", async () => {
    const store = memoryStore();
    const ada = await start(() => {}, { store });
    const warned = warnings();
    store.read = async () => {
      throw new Error("down");
    };
    await expect(connected(ada.socket("/", { reconnection: false }))).rejects.toThrow();
    await expect.poll(() => warned.mock.calls.length).toBeGreaterThan(0);
    const [, options] = warned.mock.calls[0] as unknown as [string, Record<string, string>];
    expect(options).toEqual({
      type: "SocketSessionError",
      code: "STORE_FAILED",
      detail: expect.stringMatching(/^Listen to sessions\.on\("error"/),
    });
  });

  test.each([[Object.create(null)], [Symbol("s")], [undefined]])(
    "an error listener that throws %o does not end the process",
    async (thrown) => {
      const ada = await start((socket) => {
        socket.on("rename", () => {
          throw new Error("boom");
        });
      });
      const socket = await ada.connect();
      const warned = warnings();
      world.sessions.on("error", () => {
        throw thrown;
      });
      socket.emit("rename");
      await expect
        .poll(() => String(warned.mock.calls[0]?.[0]))
        .toMatch(/^A listener of "error" of sessions/);
    },
  );
});

test("methods that instrumentation puts on the prototype of all sockets later are called", async () => {
  const ada = await start((socket) => void socket.on("greet", (done) => done()));
  await ada.connect();
  const on = vi.spyOn(Socket.prototype, "on");
  await (await ada.connect()).emitWithAck("greet");
  expect(on.mock.calls.map(([event]) => event)).toContain("greet");
});
