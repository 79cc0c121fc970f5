/** Servers that `attach` serves: several http servers of one `io`, a server that was attached before, and two `io` together. */
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { type LiveSessions, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { signIn } from "socket-session/testing";
import { afterEach, describe, expect, test } from "vitest";
import { Browser, connected, disconnected, refused } from "../support/browser.ts";
import { installHandlers, namespaces, serverSockets } from "../support/handlers.ts";
import { namespaceKinds, transportKinds } from "../support/matrix.ts";
import { RawPolling } from "../support/raw-client.ts";
import { secret } from "../support/world.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(http: HttpServer): Promise<string> {
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    http.close();
    http.closeAllConnections();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

function open(options: { readonly guests?: "allow" } = {}): LiveSessions {
  const sessions = liveSessions({ store: memoryStore(), secret, name: "sid", ...options });
  closing.push(() => sessions.close());
  return sessions;
}

async function visitor(url: string, sessions: LiveSessions): Promise<Browser> {
  const browser = stranger(url);
  browser.cookie = await signIn(sessions, { name: "ada" });
  return browser;
}

function stranger(url: string): Browser {
  const browser = new Browser(url);
  closing.push(() => browser.close());
  return browser;
}

function server(also?: (socket: Socket) => void): Server {
  const io = new Server();
  closing.push(() => io.engine && io.close());
  installHandlers(io, also);
  return io;
}

describe.each(transportKinds)("io on two servers, by $name", ({ transports }) => {
  test.each(["before sessions.attach(io)", "one before, one after", "after sessions.attach(io)"])(
    "attached %s: both are served, and no client gets in unchecked",
    async (when) => {
      const entered: string[] = [];
      const sessions = open();
      const io = server();
      for (const namespace of namespaces)
        io.of(namespace).use((socket, next) => {
          entered.push(socket.session.state);
          next();
        });
      const [first, second] = [createServer(), createServer()];
      if (when !== "after sessions.attach(io)") io.attach(first);
      if (when === "before sessions.attach(io)") io.attach(second);
      sessions.attach(io);
      if (when === "after sessions.attach(io)") io.attach(first);
      if (when !== "before sessions.attach(io)") io.attach(second);
      for (const http of [first, second]) {
        const url = await listen(http);
        const refusals = namespaceKinds.map(async ({ namespace }) => {
          const socket = stranger(url).socket(namespace, { transports: [...transports] });
          return (await refusalOf(socket)).data;
        });
        expect(await Promise.all(refusals)).toEqual(Array(3).fill({ code: "SESSION_REQUIRED" }));
        const ada = await visitor(url, sessions);
        for (const { namespace } of namespaceKinds) {
          const socket = ada.socket(namespace, { transports: [...transports] });
          await firstConnect(socket);
          expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
        }
        const socket = await ada.connect("/", { transports: [...transports] });
        const gone = disconnected(socket);
        socket.emit("end", () => {});
        expect(await gone).toBe("io server disconnect");
      }
      expect(new Set(entered)).toEqual(new Set(["live"]));
    },
  );
});

/** The connection that shows an engine for the first time is closed, and comes back by itself. */
function firstConnect(socket: ReturnType<Browser["socket"]>): Promise<void> {
  return new Promise((resolve) => socket.once("connect", () => resolve()));
}

async function refusalOf(socket: ReturnType<Browser["socket"]>) {
  for (;;) {
    const refusal = await refused(socket);
    if (refusal.data) return refusal;
  }
}

test("a connection from before sessions.attach(io) is reported, also on another server than the last", async () => {
  const io = server();
  const first = createServer();
  io.attach(first);
  io.attach(createServer());
  const browser = stranger(await listen(first));
  io.removeAllListeners("connection");
  await browser.connect();
  expect(() => open().attach(io)).toThrow("clients are connected already");
});

test("an engine that can't be guarded serves no session, and is reported", async () => {
  const errors: unknown[] = [];
  const sessions = open();
  sessions.on("error", (error) => errors.push(error));
  const io = server();
  const [first, second] = [createServer(), createServer()];
  io.attach(first);
  class uServer {}
  Object.defineProperty(io.engine, "constructor", { value: uServer });
  io.attach(second);
  sessions.attach(io);
  const ada = await visitor(await listen(first), sessions);
  const socket = ada.socket("/", { reconnection: false });
  await expect.poll(() => errors).toEqual([expect.objectContaining({ code: "UNSUPPORTED_UPSTREAM" })]);
  expect(socket.connected).toBe(false);
  expect(serverSockets(io)).toEqual([]);
});

describe.each(transportKinds)("close() and attach again, by $name", ({ transports }) => {
  test.each(namespaceKinds)(
    "in $name: clients come back, and get the new sessions",
    async ({ namespace }) => {
      const io = server();
      const http = createServer();
      io.attach(http);
      const first = open();
      first.attach(io);
      const url = await listen(http);
      const ada = await visitor(url, first);
      const socket = await ada.connect(namespace, { transports: [...transports] });
      const gone = disconnected(socket);
      await first.close();
      expect(await gone).not.toBe("io server disconnect");
      expect((await stranger(url).request("/socket.io/?EIO=4&transport=polling")).status).toBe(503);
      expect(serverSockets(io)).toEqual([]);
      const second = open();
      const back = firstConnect(socket);
      ada.cookie = await signIn(second, { name: "lovelace" });
      // the first attempt that fails may still carry the old cookie, at which the second sessions would have the client stop
      for (let i = 0; i < 2; i++)
        await new Promise<void>((failed) => socket.io.once("reconnect_error", () => failed()));
      second.attach(io);
      await back;
      expect(await socket.emitWithAck("read")).toEqual({ name: "lovelace" });
      expect(await socket.emitWithAck("increment")).toBe(1);
      expect(second.stats().connections).toBe(1);
      expect(first.stats().connections).toBe(0);
      const eve = stranger(url).socket(namespace, { transports: [...transports] });
      expect((await refused(eve)).data).toEqual({ code: "SESSION_REQUIRED" });
    },
  );
});

describe("close() and attach again", () => {
  test("a hundred times: one layer of hooks, and handlers of io stay", async () => {
    const served: string[] = [];
    const io = server((socket) => served.push(socket.nsp.name));
    const http = createServer();
    io.attach(http);
    io.of("/room-1"); // of the dynamic one, made before
    let sessions = open({ guests: "allow" });
    sessions.attach(io);
    const own = (value: object) =>
      Object.entries(Object.getOwnPropertyDescriptors(value)).filter(
        ([, { value: held }]) => typeof held === "function",
      );
    const hooks = () => [
      ...[io, io.engine, io.of("/"), io.of("/admin"), io.of("/room-1")].map(own),
      io.of("/").listenerCount("new_namespace" as never),
    ];
    const before = hooks();
    for (let i = 0; i < 100; i++) {
      await sessions.close();
      sessions = open({ guests: "allow" });
      sessions.attach(io);
    }
    expect(hooks()).toEqual(before);
    const url = await listen(http);
    for (const { transports } of transportKinds) {
      for (const { namespace } of namespaceKinds) {
        served.length = 0;
        const ada = await visitor(url, sessions);
        const socket = await ada.connect(namespace, { transports: [...transports] });
        expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
        expect(served).toEqual([namespace]);
      }
    }
    expect(sessions.stats().refused.STORE_UNAVAILABLE).toBe(0);
  });

  test("on a server that gained another engine while nothing was attached", async () => {
    const io = server();
    io.attach(createServer());
    const first = open();
    first.attach(io);
    await first.close();
    const http = createServer();
    io.attach(http);
    const url = await listen(http);
    const answer = await stranger(url).request("/socket.io/?EIO=4&transport=polling");
    expect(answer.status).toBe(503);
    const second = open();
    second.attach(io);
    const ada = await visitor(url, second);
    expect(await (await ada.connect()).emitWithAck("read")).toEqual({ name: "ada" });
  });

  test("a handshake that was accepted before close() does not get into what is attached next", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const http = createServer();
    const io = new Server(http, {
      allowRequest: async (_request, decide) => {
        asked.resolve();
        await answer.promise;
        decide(null, true);
      },
    });
    closing.push(() => io.close());
    installHandlers(io);
    const first = open();
    first.attach(io);
    const url = await listen(http);
    const ada = await visitor(url, first);
    const socket = ada.socket("/", { transports: ["websocket"] });
    await asked.promise;
    await first.close();
    const second = open();
    second.attach(io);
    answer.resolve();
    expect((await refusalOf(socket)).data).toEqual({ code: "SESSION_ENDED" }); // of another store
    expect(serverSockets(io)).toEqual([]);
  });

  test("while the first close() takes its time: its connections are closed, and serve no other cookie", async () => {
    const io = server();
    const http = createServer();
    io.attach(http);
    const first = open();
    first.attach(io);
    const url = await listen(http);
    const [ada, eve] = [await visitor(url, first), await visitor(url, first)];
    const ends = [await ada.connect(), await ada.connect()].map(disconnected);
    const polling = new RawPolling(url, { cookie: ada.cookie });
    await polling.open();
    const closed = first.close({ overMs: 1_000 });
    open().attach(io);
    expect((await polling.send("POST", "3", { cookie: eve.cookie })).status).toBe(400);
    for (const reason of await Promise.all(ends)) expect(reason).not.toBe("io server disconnect");
    expect(first.stats().connections).toBe(0);
    await closed;
  });

  test("with a connection that has proven no session, which closes with the others", async () => {
    const io = server();
    const http = createServer();
    io.attach(http);
    const first = open();
    first.attach(io);
    const url = await listen(http);
    const opened = await stranger(url).request("/socket.io/?EIO=4&transport=polling");
    expect(opened.status).toBe(200); // refused, once it asks for a namespace
    expect(io.engine.clientsCount).toBe(1);
    await first.close();
    expect(io.engine.clientsCount).toBe(0);
    const second = open();
    second.attach(io);
    await (await visitor(url, second)).connect();
  });

  test("closed sessions can't be attached", () => {
    const sessions = open();
    void sessions.close();
    expect(() => sessions.attach(server())).toThrow(
      "sessions.attach(io): these sessions are closed. Make new ones with liveSessions(), and attach those.",
    );
  });
});

describe("a server that is attached", () => {
  test("accepts no second sessions; two io on two paths do", async () => {
    const io = server();
    const sessions = open();
    sessions.attach(io);
    expect(() => sessions.attach(io)).toThrow("this server has been attached before. Attach each once.");
    expect(() => open().attach(io)).toThrow(
      'sessions.attach(io): other sessions are attached to this server, and are open. Make another `new Server(httpServer, { path: "/other" })` for these',
    );
    const http = createServer();
    io.attach(http);
    const ada = await visitor(await listen(http), sessions);
    await connected(ada.socket());
  });
});
