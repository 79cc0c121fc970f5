/** No middleware of a namespace runs for a closed connection: it would see a guest, or an ended session. */
import { EventEmitter } from "node:events";
import type { Server } from "socket.io";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { type Browser, disconnected } from "../support/browser.ts";
import { serverSockets } from "../support/handlers.ts";
import { rawPackets } from "../support/raw-client.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
let ran: string[] = [];
afterEach(async () => {
  ran = [];
  await world.close();
});

interface Late {
  readonly asked: Promise<void>;
  decide(): void;
}

/** A world with a dynamic namespace, `/late`, whose existence the test decides. */
async function startLate(options: WorldOptions = {}): Promise<Late> {
  const asked = Promise.withResolvers<void>();
  const decision = Promise.withResolvers<void>();
  const sockets = (io: Server) => {
    io.on("connection", () => {});
    const late = io.of(async (name, _auth, decide) => {
      asked.resolve();
      await decision.promise;
      decide(null, name === "/late");
    });
    late.use((socket, next) => {
      ran.push(`${socket.nsp.name} ${socket.session.state}`);
      next();
    });
  };
  world = await startWorld({ sockets, ...options });
  return { asked: asked.promise, decide: () => decision.resolve() };
}

const closed = () => expect.poll(() => world.io.engine.clientsCount).toBe(0);

/** Until no socket is on its way into the namespace. */
async function settled(name: string): Promise<void> {
  const waiting = () => Reflect.get(world.io._nsps.get(name) ?? {}, "_preConnectSockets");
  await expect.poll(waiting).toEqual(new Map());
}

const ends: [string, (ada: Browser) => unknown][] = [
  ["a logout", (ada) => ada.post("/logout")],
  ["a login", (ada) => ada.post("/regenerate")],
  ["a lost connection", () => world.io.engine.close()],
];

describe.each(["polling", "websocket"])("by %s", (transport) => {
  test.each(ends)("not in a dynamic namespace whose decision comes after %s", async (_name, end) => {
    const { asked, decide } = await startLate();
    const ada = await world.visitor();
    const socket = await ada.connect("/", { transports: [transport], reconnection: false });
    socket.io.socket("/late");
    await asked;
    await Promise.all([disconnected(socket), end(ada)]);
    await closed();
    decide();
    await settled("/late");
    expect([ran, serverSockets(world.io)]).toEqual([[], []]);
    expect(world.sessions.stats()).toMatchObject({ live: 0, connections: 0 });
  });

  test("but in one whose decision comes before", async () => {
    const { asked, decide } = await startLate();
    const ada = await world.visitor();
    const socket = await ada.connect("/", { transports: [transport] });
    const late = socket.io.socket("/late");
    await asked;
    decide();
    await new Promise<void>((resolve) => late.once("connect", () => resolve()));
    expect(ran).toEqual(["/late live"]);
  });

  test("not in an exempt one whose decision comes after its client was closed", async () => {
    const { asked, decide } = await startLate({ attach: { exempt: ["/late"] } });
    const send = await rawPackets(world.url, transport, 4);
    await send("0/late,");
    await asked;
    world.io.engine.close();
    await closed();
    decide();
    await settled("/late");
    expect([ran, serverSockets(world.io)]).toEqual([[], []]);
  });

  test.each(ends)("nor after a middleware in which %s happened", async (_name, end) => {
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    world = await startWorld({
      sockets: (io) => {
        io.on("connection", () => {});
        io.of("/admin").use(async (_socket, next) => {
          reached.resolve();
          await goOn.promise;
          next();
        });
        io.of("/admin").use((socket, next) => {
          ran.push(socket.session.state);
          next();
        });
      },
    });
    const ada = await world.visitor();
    const socket = await ada.connect("/", { transports: [transport], reconnection: false });
    socket.io.socket("/admin");
    await reached.promise;
    await Promise.all([disconnected(socket), end(ada)]);
    await closed();
    goOn.resolve();
    await settled("/admin");
    expect(ran).toEqual([]);
  });
});

/** A parser of the application's own: packets as JSON, names as they come. */
const nameless = {
  Encoder: class {
    encode = (packet: object) => [JSON.stringify(packet)];
  },
  Decoder: class extends EventEmitter {
    add(text: string) {
      this.emit("decoded", JSON.parse(text));
    }
    destroy() {}
  },
};

describe("a refused client with a parser that checks nothing", () => {
  test.each(
    ["polling", "websocket"].flatMap((transport) =>
      [false, true].map((recovers) => [transport, recovers] as const),
    ),
  )("by %s, with recovery %s, may ask without data", async (transport, recovers) => {
    const failures: unknown[] = [];
    const fail = (reason: unknown) => failures.push(reason);
    process.on("unhandledRejection", fail);
    onTestFinished(() => void process.off("unhandledRejection", fail));
    world = await startWorld({
      io: { parser: nameless, ...(recovers ? { connectionStateRecovery: {} } : {}) },
      attach: { exempt: [/^\/(static|dynamic)$/] },
      sockets: (io) => {
        io.of("/static");
        io.of(/^\/dynamic$/);
      },
    });
    const send = await rawPackets(world.url, transport, 4);
    for (const nsp of ["/static", "/dynamic"]) await send(JSON.stringify({ type: 0, nsp, data: null }));
    await expect
      .poll(() => [...failures, ...serverSockets(world.io).map(({ nsp }) => nsp.name)])
      .toEqual(["/static", "/dynamic"]);
    expect(serverSockets(world.io).map(({ handshake }) => handshake.auth)).toEqual([{}, {}]);
  });
});

describe("a client that has proven no session, with a parser that checks nothing", () => {
  test.each(
    ["polling", "websocket"].flatMap((transport) => [
      [transport, []] as const,
      [transport, ["/free"]] as const,
    ]),
  )(
    "by %s, with the exempt namespaces %j, ends no process by a packet that is none",
    async (transport, exempt) => {
      const failures: unknown[] = [];
      const fail = (reason: unknown) => failures.push(reason);
      process.on("uncaughtException", fail);
      onTestFinished(() => void process.off("uncaughtException", fail));
      world = await startWorld({ io: { parser: nameless }, attach: { exempt: [...exempt] } });
      for (const packet of ["null", "false", '""', "[]", "{}", '{"type":0}', '{"type":0,"nsp":{}}']) {
        const send = await rawPackets(world.url, transport, 4);
        await send(packet).catch(() => {}); // it may be cut off
      }
      const send = await rawPackets(world.url, transport, 4);
      await send('{"type":0,"nsp":"/"}');
      await expect
        .poll(() => [...failures, world.sessions.stats().refused.SESSION_REQUIRED > 0])
        .toEqual([true]);
    },
  );
});

describe("a refused client with a parser that gives names without a slash", () => {
  test.each(["polling", "websocket"])(
    "by %s is refused where that namespace is not exempt",
    async (transport) => {
      world = await startWorld({
        io: { parser: nameless },
        attach: { exempt: [/^(?!\/admin)/] },
        sockets: (io) => {
          for (const name of ["admin", "free"]) {
            io.of(new RegExp(`^/?${name}$`)).use((socket, next) => {
              ran.push(socket.nsp.name);
              next();
            });
          }
        },
      });
      const send = await rawPackets(world.url, transport, 4);
      for (const nsp of ["admin", "free"]) await send(JSON.stringify({ type: 0, nsp }));
      await expect.poll(() => ran).toEqual(["/free"]);
      expect(serverSockets(world.io).map(({ nsp }) => nsp.name)).toEqual(["/free"]);
    },
  );
});

describe("a refused client with a parser of another rhythm", () => {
  type Emit = (packet: unknown) => void;

  /** `deliver` says how the packets of one message, written as a list, come out. */
  async function start(transport: string, deliver: (packets: unknown[], emit: Emit) => void) {
    class Decoder extends EventEmitter {
      add(text: string) {
        deliver(JSON.parse(text), (packet) => this.emit("decoded", packet));
      }
      destroy() {}
    }
    world = await startWorld({
      io: { parser: { ...nameless, Decoder } },
      attach: { exempt: ["/free"] },
      sockets: (io) => {
        for (const name of ["/private", "/free"]) {
          io.of(name).use((socket, next) => {
            ran.push(socket.nsp.name);
            next();
          });
        }
      },
    });
    return rawPackets(world.url, transport, 4);
  }

  test.each(["polling", "websocket"])(
    "by %s is refused each packet of a message that asks for a namespace, and may ask for an exempt one",
    async (transport) => {
      const send = await start(transport, (packets, emit) => packets.forEach(emit));
      await send(
        JSON.stringify([
          { type: 0, nsp: "/private" },
          { type: 1, nsp: "/nowhere" },
        ]),
      );
      await send(JSON.stringify([{ type: 0, nsp: "/free" }]));
      await expect.poll(() => ran).toEqual(["/free"]);
    },
  );

  test.each(["polling", "websocket"])(
    "by %s is closed if only Socket.IO sees what it asks for",
    async (transport) => {
      const send = await start(transport, (packets, emit) => setImmediate(() => packets.forEach(emit)));
      await send(JSON.stringify([{ type: 0, nsp: "/private" }]));
      await expect.poll(() => world.io.engine.clientsCount).toBe(0);
      expect(ran).toEqual([]);
    },
  );
});

describe("a refused client that names no namespace", () => {
  const failures: unknown[] = [];
  const fail = (error: unknown) => failures.push(error);

  test.each(
    ["polling", "websocket"].flatMap((transport) =>
      [[], ["/free"]].flatMap((exempt) =>
        ["0//[,", "0//[/?a=1,"].map((text) => [transport, exempt, text] as const),
      ),
    ),
  )("of revision 3, by %s, with %j exempt: %s", async (transport, exempt, text) => {
    world = await startWorld({ io: { allowEIO3: true }, attach: { exempt: [...exempt] } });
    const errors = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", fail);
    onTestFinished(() => {
      process.removeAllListeners("uncaughtException");
      for (const listener of errors) process.on("uncaughtException", listener);
    });
    const send = await rawPackets(world.url, transport, 3);
    await send(text).catch(() => {});
    await world.visitor(); // the server goes on
    expect(failures).toEqual([]);
  });
});
