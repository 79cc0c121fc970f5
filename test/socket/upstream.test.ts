/**
 * Pins what this package relies on in socket.io, engine.io and express-session beyond their public API: an upgrade that
 * changes one of these fails here, by name, before it breaks a promise somewhere else.
 */
import { type EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import express from "express";
import session from "express-session";
import { Server, type ServerOptions, type Socket } from "socket.io";
import { afterEach, describe, expect, test } from "vitest";
import { Browser, connected, disconnected } from "../support/browser.ts";
import { listen } from "../support/listen.ts";
import { RawPolling, rawUpgrade } from "../support/raw-client.ts";
import { rawHandshake } from "../support/raw-handshake.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A plain Socket.IO server without this package. */
async function plain(prepare: (io: Server) => void = () => {}, options: Partial<ServerOptions> = {}) {
  const http = createServer(express());
  const io = new Server(http, options);
  prepare(io);
  const browser = new Browser(await listen(http));
  closing.push(
    () => io.close(),
    () => browser.close(),
  );
  return { io, http, browser };
}

/** An object's methods, to be replaced on the instance. */
const methodsOf = (value: unknown) => value as Record<string, (...args: unknown[]) => unknown>;

const internals = (value: unknown) => value as Record<string, unknown>;

type Create = (
  client: { conn: { readyState: string; write(packet: unknown, ...rest: unknown[]): unknown } },
  auth: object,
) => Promise<Socket>;

describe("socket.io", () => {
  test("makes its sockets in namespace._createSocket(client, auth), before middleware, in every namespace", async () => {
    const order: string[] = [];
    const patch = (namespace: unknown) => {
      const inner = namespace as { name: string; _createSocket(...args: unknown[]): Promise<unknown> };
      const create = inner._createSocket;
      inner._createSocket = async (...args) => {
        order.push(
          `create ${inner.name} ${Object.keys(args[0] as object).includes("conn")} ${typeof args[1]}`,
        );
        return create.apply(inner, args);
      };
    };
    const { browser } = await plain((io) => {
      for (const namespace of io._nsps.values()) patch(namespace);
      io.on("new_namespace", patch);
      io.of("/admin").use((_socket, next) => {
        order.push("middleware");
        next();
      });
      io.of(/^\/room-\d+$/);
    });
    for (const namespace of ["/", "/admin", "/room-7"]) await browser.connect(namespace);
    expect(order).toEqual([
      "create / true object",
      "create /admin true object",
      "middleware",
      "create /room-7 true object",
    ]);
  });

  test("recovers sockets in _createSocket, by auth.pid and auth.offset, and writes what was missed within it", async () => {
    const order: string[] = [];
    let isHidden = false;
    const { io, browser } = await plain(
      (server) => {
        const namespace = server.of("/") as unknown as { _createSocket: Create };
        const create = namespace._createSocket;
        namespace._createSocket = async (client, auth) => {
          const { write } = client.conn;
          client.conn.write = (packet, ...rest) => {
            order.push(`write ${packet}`);
            return write.call(client.conn, packet, ...rest);
          };
          const making = create.call(namespace, client, isHidden ? {} : auth);
          order.push("asked");
          const socket = await making;
          order.push(`made, recovered: ${socket.recovered}`);
          return socket;
        };
        const { adapter } = server.of("/");
        const restore = adapter.restoreSession.bind(adapter);
        adapter.restoreSession = (pid, offset) => {
          order.push(`restore ${pid} ${offset}`);
          return restore(pid, offset);
        };
      },
      { connectionStateRecovery: {} },
    );
    const client = await browser.connect("/", { transports: ["websocket"], reconnection: false });
    client.on("first", () => {});
    for (const hides of [false, true]) {
      isHidden = hides;
      const gone = disconnected(client);
      const received = new Promise((resolve) => client.once("first", resolve));
      io.emit("first");
      await received;
      const [pid, offset] = [Reflect.get(client, "_pid"), Reflect.get(client, "_lastOffset")];
      client.io.engine.close();
      await gone;
      await expect.poll(() => io.sockets.sockets.size).toBe(0);
      io.emit("missed");
      order.length = 0;
      client.connect();
      await connected(client);
      const steps = hides
        ? ["asked", "made, recovered: false", /^write 0/]
        : [`restore ${pid} ${offset}`, "asked", /^write 2\["missed"/, "made, recovered: true", /^write 0/];
      expect(order).toEqual(
        steps.map((step) => (typeof step === "string" ? step : expect.stringMatching(step))),
      );
    }
  });

  test("sends socket.pid and keeps the state under it, as it is after _createSocket, and a recovered socket has it", async () => {
    const kept: unknown[] = [];
    const made: unknown[] = [];
    const { io, browser } = await plain(
      (server) => {
        const namespace = server.of("/") as unknown as { _createSocket: Create };
        const create = namespace._createSocket;
        namespace._createSocket = async (...args) => {
          const socket = await create.apply(namespace, args);
          if (!socket.recovered) Reflect.set(socket, "pid", `${Reflect.get(socket, "pid")}.more`);
          made.push(Reflect.get(socket, "pid"));
          return socket;
        };
        const { adapter } = server.of("/");
        const persist = adapter.persistSession.bind(adapter);
        adapter.persistSession = (session) => {
          kept.push(session.pid);
          persist(session);
        };
      },
      { connectionStateRecovery: {} },
    );
    const client = await browser.connect("/", { transports: ["websocket"], reconnection: false });
    const pid = Reflect.get(client, "_pid");
    expect(pid).toMatch(/^[\w-]{20}\.more$/);
    const received = new Promise((resolve) => client.once("first", resolve));
    io.emit("first");
    await received;
    client.io.engine.close();
    await expect.poll(() => kept).toEqual([pid]);
    client.connect();
    await connected(client);
    expect([client.recovered, made]).toEqual([true, [pid, pid]]);
    const { browser: other } = await plain();
    expect(Reflect.get(await other.connect(), "_pid")).toBeUndefined();
  });

  test("runs the middleware of a recovered socket whose connection is not open, and drops it", async () => {
    const steps: string[] = [];
    const { io, browser } = await plain(
      (server) => {
        const namespace = server.of("/") as unknown as { _createSocket: Create };
        const create = namespace._createSocket;
        namespace._createSocket = async (client, auth) => {
          const socket = await create.call(namespace, client, auth);
          if (socket.recovered) client.conn.readyState = "closing";
          return socket;
        };
        server.use((socket, next) => {
          steps.push(`middleware, recovered: ${socket.recovered}`);
          next();
        });
        server.on("connection", (socket) => steps.push(`connection, recovered: ${socket.recovered}`));
      },
      { connectionStateRecovery: { skipMiddlewares: true } },
    );
    const client = await browser.connect("/", { transports: ["websocket"], reconnection: false });
    const received = new Promise((resolve) => client.once("first", resolve));
    io.emit("first");
    await received;
    client.io.engine.close();
    await expect.poll(() => io.sockets.sockets.size).toBe(0);
    client.connect();
    await expect.poll(() => steps.length).toBe(3);
    await expect.poll(() => io.sockets.adapter.rooms.size).toBe(0);
    expect(steps).toEqual([
      "middleware, recovered: false",
      "connection, recovered: false",
      "middleware, recovered: true",
    ]);
  });

  test("removes an empty dynamic namespace in namespace._remove, and has sockets in middleware in _preConnectSockets", async () => {
    const seen: unknown[] = [];
    const { io, browser } = await plain(
      (server) => {
        server.of(/^\/room-/).use((socket, next) => {
          seen.push([...Reflect.get(socket.nsp, "_preConnectSockets").keys()], [socket.id]);
          next();
        });
      },
      { cleanupEmptyChildNamespaces: true },
    );
    const socket = await browser.connect("/room-7");
    expect(seen[0]).toEqual(seen[1]);
    const namespace = io._nsps.get("/room-7");
    namespace?._remove({ id: "" } as never);
    expect(io._nsps.has("/room-7")).toBe(true);
    socket.disconnect();
    await expect.poll(() => io._nsps.has("/room-7")).toBe(false);
    expect(Reflect.get(namespace ?? {}, "_preConnectSockets").size).toBe(0);
  });

  test("calls socket._cleanup when a socket is gone: disconnected, refused by middleware, or closed before", async () => {
    const cleaned: string[] = [];
    const left = Promise.withResolvers<void>();
    const waiting = Promise.withResolvers<void>();
    const { io, browser } = await plain((server) => {
      server.use(async (socket, next) => {
        const cleanup = socket._cleanup;
        socket._cleanup = () => {
          cleaned.push(String(socket.handshake.auth.case));
          cleanup.call(socket);
        };
        if (socket.handshake.auth.case === "refused") return next(new Error("no"));
        if (socket.handshake.auth.case === "closed") {
          waiting.resolve();
          await left.promise;
        }
        next();
      });
    });
    const one = await browser.connect("/", { auth: { case: "disconnected" } });
    one.disconnect();
    browser.socket("/", { auth: { case: "refused" }, reconnection: false });
    const three = browser.socket("/", { auth: { case: "closed" }, reconnection: false });
    await waiting.promise;
    three.disconnect();
    await expect.poll(() => io.engine.clientsCount).toBeLessThanOrEqual(1);
    left.resolve();
    await expect.poll(() => [...cleaned].sort()).toEqual(["closed", "disconnected", "refused"]);
  });

  test("passes all packets of a client to socket._onpacket first, before onAny and acknowledgement callbacks", async () => {
    const order: string[] = [];
    let isTaken = true;
    const { io, browser } = await plain((server) => {
      server.use((socket, next) => {
        const inner = socket as unknown as { _onpacket(packet: { type: number }): void };
        const { _onpacket } = inner;
        inner._onpacket = (packet) => {
          order.push(`packet ${packet.type}`);
          if (isTaken || packet.type === 1) _onpacket.call(socket, packet);
        };
        next();
      });
      server.on("connection", (socket) => {
        socket.onAny(() => order.push("onAny"));
        socket.prependAny(() => order.push("prependAny"));
        socket.use((_event, next) => {
          order.push("middleware");
          next();
        });
        socket.on("event", () => order.push("on"));
        socket.on("disconnect", () => order.push("disconnect"));
      });
    });
    const client = await browser.connect("/", { transports: ["websocket"], reconnection: false });
    client.on("ask", (answer, give) => give(answer));
    const [serverSide] = [...io.sockets.sockets.values()];
    const sendAll = async () => {
      order.length = 0;
      client.emit("event");
      client.emit("event", Buffer.from("binary"));
      for (const answer of ["text", Buffer.from("binary")])
        serverSide?.emit("ask", answer, () => order.push("acknowledged"));
      await expect.poll(() => order.filter((step) => step.startsWith("packet"))).toHaveLength(4);
      return order.filter((step) => step.startsWith("packet")).toSorted();
    };
    const kinds = ["packet 2", "packet 2", "packet 3", "packet 3"]; // binary ones are decoded already
    expect(await sendAll()).toEqual(kinds);
    for (const step of ["prependAny", "onAny", "middleware", "on", "acknowledged"])
      await expect.poll(() => order.filter((one) => one === step)).toHaveLength(2);
    expect(order.slice(0, 4)).toEqual(["packet 2", "prependAny", "onAny", "middleware"]);
    isTaken = false;
    expect(await sendAll()).toEqual(kinds);
    client.disconnect();
    await expect.poll(() => order.at(-1)).toBe("disconnect");
    expect(order.filter((step) => !step.startsWith("packet"))).toEqual(["disconnect"]);
  });

  test("silently drops a socket whose connection is not open after its middleware", async () => {
    const cleaned: string[] = [];
    const joined: string[] = [];
    const { io, browser } = await plain((server) => {
      server.use((socket, next) => {
        const { refused } = socket.handshake.auth;
        const cleanup = socket._cleanup;
        socket._cleanup = () => {
          cleaned.push(socket.id);
          cleanup.call(socket);
        };
        socket.conn.readyState = "closing";
        next(refused ? new Error("no") : undefined);
      });
      server.on("connection", (socket) => joined.push(socket.id));
    });
    const heard: string[] = [];
    for (const refused of [false, true]) {
      const client = browser.socket("/", { auth: { refused }, reconnection: false });
      for (const event of ["connect", "connect_error"]) client.on(event, () => heard.push(event));
    }
    await expect.poll(() => cleaned.length).toBe(2);
    expect([joined, io.sockets.sockets.size, io.sockets.adapter.rooms.size]).toEqual([[], 0, 0]);
    io.disconnectSockets(true);
    io.engine.close();
    await expect.poll(() => io.engine.clientsCount).toBe(0);
    expect(heard).toEqual([]);
  });

  test("has io._nsps, io._parser.Decoder, io.encoder, and binds its engine through io.bind", async () => {
    const bound: unknown[] = [];
    const http = createServer();
    const io = new Server();
    const bind = io.bind;
    io.bind = (engine: unknown) => {
      bound.push(engine);
      return bind.call(io, engine);
    };
    io.attach(http);
    closing.push(() => io.close());
    expect(bound).toEqual([io.engine]);
    expect(internals(io)._nsps).toBeInstanceOf(Map);
    const { Decoder } = internals(io)._parser as {
      Decoder: new () => {
        add(data: string): void;
        on: (event: string, fn: (packet: unknown) => void) => void;
      };
    };
    const decoder = new Decoder();
    const packets: unknown[] = [];
    decoder.on("decoded", (packet) => packets.push(packet));
    const encoder = internals(io).encoder as { encode(packet: object): string[] };
    for (const data of encoder.encode({ type: 4, nsp: "/admin", data: { code: "X" } })) decoder.add(data);
    expect(packets).toMatchObject([{ type: 4, nsp: "/admin", data: { code: "X" } }]);
  });
});

describe("engine.io", () => {
  test("is 6.6.12 or later, which tolerates a middleware that calls next twice", () => {
    const socketIo = createRequire(import.meta.url).resolve("socket.io");
    const engine = createRequire(socketIo).resolve("engine.io");
    const { version } = createRequire(engine)("../package.json");
    const [major, minor, patch] = version.split(".").map(Number);
    expect([major, minor]).toEqual([6, 6]);
    expect(patch).toBeGreaterThanOrEqual(12);
  });

  test("gives its connections to a listener of Socket.IO's that is called `bound onconnection`, and to no other", async () => {
    const { io } = await plain();
    const names = io.engine.rawListeners("connection").map(({ name }: { name: string }) => name);
    expect(names).toEqual(["bound onconnection"]);
  });

  test("passes requests through handleRequest and handleUpgrade, looked up on the instance, with connection.request", async () => {
    const { io, browser } = await plain();
    const seen: string[] = [];
    const requests: unknown[] = [];
    const engine = methodsOf(io.engine);
    for (const method of ["handleRequest", "handleUpgrade"]) {
      const original = engine[method];
      engine[method] = (...args) => {
        seen.push(method);
        requests.push(args[0]);
        return original?.apply(io.engine, args);
      };
    }
    const connections: { request: unknown; id: string; protocol: number; writeBuffer: unknown[] }[] = [];
    io.engine.on("connection", (connection: (typeof connections)[number]) => connections.push(connection));
    await browser.connect("/", { transports: ["polling"] });
    expect(new Set(seen)).toEqual(new Set(["handleRequest"]));
    await browser.connect("/", { transports: ["websocket"] });
    expect(seen).toContain("handleUpgrade");
    for (const connection of connections) {
      expect(requests).toContain(connection.request);
      expect(connection).toMatchObject({ id: expect.any(String), protocol: 4 });
      expect(Array.isArray(connection.writeBuffer)).toBe(true);
    }
    expect(connections).toHaveLength(2);
  });

  test("writes the headers of a handshake as its event `headers` leaves them, after the application's listeners", async () => {
    const order: string[] = [];
    const { io, browser } = await plain();
    const engine = methodsOf(io.engine);
    const { emit } = engine;
    engine.emit = (...args) => {
      const handled = emit?.apply(io.engine, args);
      const [event, headers, request] = args as [string, Record<string, unknown>, IncomingMessage];
      if (event !== "headers") return handled;
      order.push(`after ${event} of ${request.url?.includes("sid=") ? "a poll" : "a handshake"}`);
      // one string with a line of its own for each further cookie: an array would be one line for a WebSocket
      headers["Set-Cookie"] = "a=1\r\nSet-Cookie: b=2";
      if (request.url?.includes("polling")) headers["Set-Cookie"] = ["a=1", "b=2"];
      return handled;
    };
    for (const event of ["initial_headers", "headers"]) io.engine.on(event, () => order.push(event));
    for (const transport of ["polling", "websocket"] as const) {
      const { cookies, close } = await rawHandshake(browser.url, transport);
      close();
      expect(cookies).toEqual(["a=1", "b=2"]);
    }
    expect(order).toEqual(
      [1, 2].flatMap(() => ["initial_headers", "headers", "after headers of a handshake"]),
    );
  });

  test("has an engine for each http server: a connection knows its own, io.engine is the last, io.sockets holds all", async () => {
    const { io, http, browser } = await plain();
    const [engine] = [io.engine];
    io.attach(createServer());
    expect(io.engine).not.toBe(engine);
    expect(http.listening).toBe(true);
    for (const transport of ["polling", "websocket"])
      await browser.connect("/", { transports: [transport], reconnection: false });
    const sockets = [...io.sockets.sockets.values()];
    expect(sockets.map(({ conn }) => internals(conn).server)).toEqual([engine, engine]);
    expect(io.engine.clientsCount).toBe(0);
    engine.close();
  });

  test("ends an upgrade of another server's path that is not answered within destroyUpgradeTimeout", async () => {
    const asked = Promise.withResolvers<(error: null, isAllowed: boolean) => void>();
    const { http, browser } = await plain((_io) => {});
    const slow = new Server(http, {
      path: "/other",
      destroyUpgradeTimeout: 1,
      allowRequest: (_request, decide) => asked.resolve(decide),
    });
    closing.push(() => slow.close());
    expect(await rawUpgrade(browser.url, {})).toContain("101"); // at once, by the one whose path it is
    const other = browser.socket("/", { path: "/other", transports: ["websocket"], reconnection: false });
    await expect(connected(other)).rejects.toThrow("websocket error"); // by the first one, after a second
    (await asked.promise)(null, true);
  });

  test("runs middlewares in engine._applyMiddlewares, cors first, before it verifies, and calls back whatever they do", async () => {
    const { io, browser } = await plain(
      (server) => {
        expect(internals(server).opts).toMatchObject({ cors: { origin: ["https://app.example"] } });
      },
      { cors: { origin: ["https://app.example"] } },
    );
    const order: unknown[] = [];
    io.engine.use((request: IncomingMessage, response: ServerResponse, next: (error?: Error) => void) => {
      order.push([
        Reflect.get(request, "res") === response,
        response.getHeader("access-control-allow-origin"),
      ]);
      next(request.url?.includes("fail") ? new Error("no") : undefined);
    });
    const engine = methodsOf(io.engine);
    const { verify, _applyMiddlewares: apply } = engine;
    engine.verify = (...args) => {
      order.push("verify");
      return verify?.apply(io.engine, args);
    };
    engine._applyMiddlewares = (request, response, done) => {
      order.push("apply");
      return apply?.call(io.engine, request, response, (error: unknown) => {
        order.push(error === undefined);
        (done as (error: unknown) => void)(error);
      });
    };
    const headers = { origin: "https://app.example" };
    await browser.request("/socket.io/?EIO=4&transport=polling", { headers });
    expect(order.splice(0)).toEqual(["apply", [true, "https://app.example"], true, "verify"]);
    await browser.request("/socket.io/?EIO=4&transport=polling&fail", { headers });
    expect(order).toEqual(["apply", [true, "https://app.example"], false]);
  });

  test("has neither cors nor a middleware by default", async () => {
    const { io, browser } = await plain();
    expect([internals(io.engine).middlewares, internals(io).opts]).toEqual([
      [],
      expect.not.objectContaining({ cors: expect.anything() }),
    ]);
    const response = await fetch(`${browser.url}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: "https://a.example" },
    });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    await response.text();
  });

  test("reads request._query if it is there", async () => {
    const { io, browser } = await plain();
    const engine = methodsOf(io.engine);
    const original = engine.handleRequest;
    engine.handleRequest = (request, ...rest) => {
      Object.assign(request as IncomingMessage, { _query: { EIO: "4", transport: "no such transport" } });
      return original?.call(io.engine, request, ...rest);
    };
    expect((await browser.request("/socket.io/?EIO=4&transport=polling")).body).toContain(
      "Transport unknown",
    );
  });

  test.each(["polling", "websocket"])(
    "passes all packets that it sends through connection.write, looked up on the instance, by %s",
    async (transport) => {
      const asked: ((answer: string) => void)[] = [];
      const { io, browser } = await plain((server) => {
        server.of("/admin");
        server.on("connection", (socket) => {
          void socket.join("room");
          socket.on("ask", (answer) => asked.push(answer));
        });
      });
      const client = await browser.connect("/", { transports: [transport], reconnection: false });
      const received: string[] = [];
      client.onAny((event) => received.push(event));
      client.emit("ask", () => received.push("acknowledgement"));
      await expect.poll(() => asked.length).toBe(1);
      const [serverSide] = [...io.sockets.sockets.values()];
      if (!serverSide) throw new Error("no socket");
      const { conn } = serverSide;
      await expect.poll(() => Reflect.get(conn.transport, "writable")).toBe(true); // else volatile ones are dropped
      const written: unknown[] = [];
      methodsOf(conn).write = (packet) => {
        written.push(packet);
        return conn;
      };
      const gone = disconnected(client);
      serverSide.emit("emit");
      serverSide.volatile.emit("volatile");
      io.emit("broadcast");
      io.to("room").emit("room");
      asked[0]?.("acknowledgement");
      expect(written).toEqual([
        '2["emit"]',
        '2["volatile"]',
        '2["broadcast"]',
        '2["room"]',
        '30["acknowledgement"]',
      ]);
      client.io.socket("/admin");
      await expect.poll(() => written.at(-1)).toMatch(/^0\/admin,/);
      serverSide.disconnect();
      expect(written.at(-1)).toBe("1");
      conn.close(true);
      await gone;
      expect(received).toEqual([]);
    },
  );

  test("keeps packets that wait for a poll in connection.writeBuffer; emptied, they are not delivered, and later ones are", async () => {
    const { io, browser } = await plain();
    const client = new RawPolling(browser.url, {});
    await client.open();
    const [serverSide] = [...io.sockets.sockets.values()];
    const waiting = () => internals(serverSide?.conn).writeBuffer as unknown[];
    expect(waiting()).toEqual([]);
    io.emit("waits");
    expect(waiting()).toMatchObject([{ type: "message", data: '2["waits"]' }]);
    waiting().length = 0;
    io.emit("later");
    expect((await client.send("GET")).body).toBe('42["later"]');
    expect(waiting()).toEqual([]);
  });

  test.each(["polling", "websocket"])(
    'emits "heartbeat" when a client answers sendPacket("ping"), by %s, and its own heartbeats go on',
    async (transport) => {
      const { io, browser } = await plain(() => {}, { pingInterval: 50 });
      const client = await browser.connect("/", { transports: [transport] });
      const conn = [...io.sockets.sockets.values()][0]?.conn;
      for (let times = 0; times < 3; times++) {
        await new Promise<void>((resolve) => {
          conn?.once("heartbeat", () => resolve());
          methodsOf(conn).sendPacket?.("ping");
        });
      }
      await new Promise<void>((resolve) => conn?.once("heartbeat", () => resolve())); // of Engine.IO's own ping
      expect(client.connected).toBe(true);
    },
  );

  test("says by transport.writable, and then by `ready`, whether all has left that was sent over a WebSocket", async () => {
    const { io, browser } = await plain();
    await browser.connect("/", { transports: ["websocket"], reconnection: false });
    const [serverSide] = [...io.sockets.sockets.values()];
    const { conn } = serverSide ?? {};
    if (!conn) throw new Error("no connection");
    const transport: EventEmitter = conn.transport;
    const state = () => ["name", "writable", "readyState"].map((key) => Reflect.get(transport, key));
    await expect.poll(state).toEqual(["websocket", true, "open"]);
    serverSide?.emit("much", "x".repeat(20_000_000));
    conn.close(true);
    expect([conn.readyState, ...state()]).toEqual(["closed", "websocket", false, "closing"]);
    const closed = once(transport, "close");
    await once(transport, "ready");
    expect(state()).toEqual(["websocket", true, "closing"]);
    Reflect.get(transport, "socket").terminate();
    await closed;
    expect(state()).toEqual(["websocket", true, "closed"]);
  });

  test('with readyState "closing" neither takes nor sends messages, and close(true) still ends it', async () => {
    const heard: string[] = [];
    const { io, browser } = await plain((server) => {
      server.on("connection", (socket) => socket.onAny((event) => heard.push(event)));
    });
    for (const transports of [["polling"], ["websocket"]]) {
      const socket = await browser.connect("/", { transports, reconnection: false });
      const received: string[] = [];
      socket.onAny((event) => received.push(event));
      const [serverSide] = [...io.sockets.sockets.values()];
      const connection = serverSide?.conn;
      if (!connection) throw new Error("no connection");
      connection.readyState = "closing";
      serverSide.emit("out");
      socket.emit("in");
      const gone = new Promise((resolve) => socket.once("disconnect", resolve));
      connection.close(true);
      await gone;
      expect([heard, received]).toEqual([[], []]);
      await expect.poll(() => io.sockets.sockets.size).toBe(0);
    }
  });
});

describe("express-session", () => {
  test("puts a generate on its store, which makes a session on an object that inherits from a request", () => {
    const store: session.Store & { generate?: (request: object) => void } = Reflect.construct(
      session.Store,
      [],
    );
    const options = { secret: "x", resave: false, saveUninitialized: false };
    session({ ...options, store, cookie: { secure: "auto", maxAge: 86_400_000 } });
    const request = { headers: {}, connection: { encrypted: true } };
    const unset = { value: undefined, writable: true };
    const own = Object.create(request, { session: unset, sessionID: unset });
    store.generate?.(own);
    expect(own.sessionID).toMatch(/^[\w-]{32}$/);
    const { originalMaxAge, ...others } = own.session.cookie.data;
    expect(others).toMatchObject({ secure: true, httpOnly: true, path: "/" });
    expect(originalMaxAge).toBeGreaterThan(0);
    expect(originalMaxAge).toBeLessThanOrEqual(86_400_000); // less by the milliseconds that it took
    expect(Object.keys(request)).toEqual(["headers", "connection"]);
  });

  test("puts its own generate on the store it is given, and makes sessions with a hidden req and id", () => {
    class Facade extends session.MemoryStore {
      assigned: unknown;
      set generate(value: unknown) {
        this.assigned = value;
      }
    }
    const store = new Facade();
    session({ store, secret: "x", resave: false, saveUninitialized: false });
    expect(store.assigned).toBeTypeOf("function");
    const made = store.createSession(
      { sessionID: "a", sessionStore: store } as never,
      { cookie: { originalMaxAge: 1000 }, n: 1, save: 2 } as never,
    );
    expect(Object.keys(made).sort()).toEqual(["cookie", "n"]);
    expect(Reflect.get(made, "req")).toMatchObject({ sessionID: "a" });
    expect(made.id).toBe("a");
  });

  test("skips a request that has a session, and can be recognised by the file that reads it", () => {
    const store = new session.MemoryStore();
    const middleware = session({ store, secret: "x", resave: true, saveUninitialized: true });
    const asked: string[] = [];
    const request = Object.defineProperty({ url: "/", headers: {} }, "session", {
      get: () => {
        asked.push(String(new Error().stack).split("\n")[2] ?? "");
        return {};
      },
    });
    const response = {};
    let passed = 0;
    middleware(request as never, response as never, () => passed++);
    expect(passed).toBe(1);
    expect([Object.keys(request), response]).toEqual([["url", "headers"], {}]);
    expect(asked).toEqual([expect.stringMatching(/at session \(.*[\\/]express-session[\\/]/)]);
  });

  test("saves on its own from within res.end, synchronously, and touches if nothing changed", async () => {
    const calls: string[] = [];
    class Watching extends session.MemoryStore {
      override set(...args: Parameters<session.MemoryStore["set"]>): void {
        calls.push(`set, ending: ${ending}`);
        super.set(...args);
      }
      override touch(...args: Parameters<NonNullable<session.Store["touch"]>>): void {
        calls.push(`touch, ending: ${ending}`);
        super.touch(...args);
      }
    }
    let ending = false;
    const app = express();
    app.use(session({ store: new Watching(), secret: "x", resave: false, saveUninitialized: false }));
    app.use((req, res) => {
      const end = res.end;
      res.end = ((...args: Parameters<typeof end>) => {
        ending = true;
        try {
          return end.apply(res, args);
        } finally {
          ending = false;
        }
      }) as typeof res.end;
      if (req.path === "/set") req.session.n = 1;
      res.send("ok");
    });
    const http = createServer(app);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    closing.push(() => http.close());
    const browser = new Browser(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    await browser.get("/set");
    await browser.get("/");
    expect(calls).toEqual(["set, ending: true", "touch, ending: true"]);
  });
});

test("a stock client stops at CONNECT_ERROR, and its err.data is the data that was sent", async () => {
  const { browser } = await plain((io) => {
    io.use((_socket, next) => next(Object.assign(new Error("no"), { data: { code: "X" } })));
  });
  const socket = browser.socket();
  await expect(connected(socket)).rejects.toMatchObject({ message: "no", data: { code: "X" } });
  expect(socket.active).toBe(false);
});
