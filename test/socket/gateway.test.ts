import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { signIn } from "socket-session/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Browser, connected, disconnected, refused } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { listen } from "../support/listen.ts";
import { RawPolling } from "../support/raw-client.ts";
import { secret, startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  await world?.close();
  for (const close of closing.splice(0)) await close();
});

const start = async (options: WorldOptions = {}) => {
  world = await startWorld({ sockets: (io) => installHandlers(io), ...options });
};

describe("attach", () => {
  test.each(["before the server listens", "before there is an engine", "after it listens"])(
    "%s",
    async (when) => {
      const sessions = liveSessions({ store: memoryStore(), secret });
      const http = createServer();
      const io = new Server();
      installHandlers(io);
      if (when === "before there is an engine") sessions.attach(io);
      if (when === "after it listens")
        await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
      io.attach(http);
      if (when !== "before there is an engine") sessions.attach(io);
      if (when !== "after it listens")
        await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
      closing.push(
        () => io.close(),
        () => sessions.close(),
      );
      const browser = new Browser(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
      closing.push(() => browser.close());
      expect((await refused(browser.socket())).data).toEqual({ code: "SESSION_REQUIRED" });
      browser.cookie = await signIn(sessions, { name: "ada" });
      const socket = await browser.connect();
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
      expect(() => sessions.attach(io)).toThrow("attached before");
      const late = liveSessions({ store: memoryStore(), secret });
      expect(() => late.attach(io)).toThrow("other sessions are attached");
      const other = new Server(createServer());
      Object.assign(other.engine, { clientsCount: 1 });
      expect(() => late.attach(other)).toThrow("clients are connected already");
      expect(() => late.attach({} as never)).toThrow("expects a Socket.IO server");
      await late.close();
    },
  );

  test.each(["/", "/admin", "/room-7"])("serves %s made before it was called", async (namespace) => {
    const sessions = liveSessions({ store: memoryStore(), secret });
    const http = createServer();
    const io = new Server(http);
    installHandlers(io);
    if (namespace === "/room-7") io.of("/room-7");
    sessions.attach(io);
    const browser = new Browser(await listen(http));
    closing.push(
      () => browser.close(),
      () => io.close(),
      () => sessions.close(),
    );
    expect((await refused(browser.socket(namespace))).data).toEqual({ code: "SESSION_REQUIRED" });
    browser.cookie = await signIn(sessions, { name: "ada" });
    const socket = await browser.connect(namespace);
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    const gone = disconnected(socket);
    socket.emit("end", () => {});
    expect(await gone).toBe("io server disconnect");
  });

  test("a server with typed events needs no cast", async () => {
    const sessions = liveSessions({ store: memoryStore(), secret });
    const io = new Server<{ hello: (name: string) => void }, { answer: (text: string) => void }>();
    sessions.attach(io);
    io.on("connection", (socket) => {
      socket.on("hello", (name) => socket.emit("answer", `${name} ${socket.session.data.name ?? "guest"}`));
    });
    await sessions.close();
  });
});

describe("exempt namespaces", () => {
  const options: WorldOptions = { sockets: (io) => installHandlers(io) };

  async function startExempt() {
    const sessions = liveSessions({ store: memoryStore(), secret, name: "sid" });
    const http = createServer();
    const io = new Server(http);
    sessions.attach(io, { exempt: ["/admin", /^\/room-/] });
    options.sockets?.(io, sessions);
    const browser = new Browser(await listen(http));
    closing.push(
      () => browser.close(),
      () => io.close(),
      () => sessions.close(),
    );
    return { sessions, io, browser };
  }

  test.each([["polling"], ["websocket"]])(
    "by %s: they need no session, and no others do",
    async (transport) => {
      const { browser, io } = await startExempt();
      const exempt = browser.socket("/admin", { transports: [transport] });
      const main = exempt.io.socket("/");
      const dynamic = exempt.io.socket("/room-7");
      const [refusal] = await Promise.all([refused(main), connected(exempt), connected(dynamic)]);
      expect(refusal.data).toEqual({ code: "SESSION_REQUIRED" });
      expect(await exempt.emitWithAck("state")).toBe("guest");
      exempt.emit("binary", Buffer.from([1, 2, 3]));
      expect(await dynamic.emitWithAck("read")).toEqual({});
      expect(serverSockets(io)).toHaveLength(2);
    },
  );

  test("a session's end closes the connection; a stock client reconnects to the exempt namespace", async () => {
    const { browser, sessions } = await startExempt();
    browser.cookie = await signIn(sessions, { name: "ada" });
    const main = await browser.connect("/");
    const exempt = main.io.socket("/admin");
    await connected(exempt);
    const gone = disconnected(main);
    const exemptGone = disconnected(exempt);
    await main.emitWithAck("end").catch(() => {});
    expect(await gone).toBe("io server disconnect");
    expect(await exemptGone).not.toBe("io server disconnect");
    await connected(exempt);
    expect(main.connected).toBe(false);
  });
});

describe("Engine.IO's third protocol revision", () => {
  test("cannot name an exempt namespace and mean another", async () => {
    const sessions = liveSessions({ store: memoryStore(), secret, name: "sid" });
    const http = createServer();
    const io = new Server(http, { allowEIO3: true });
    sessions.attach(io, { exempt: [/^\/(?!admin)/] });
    const entered: string[] = [];
    io.of("/admin").on("connection", () => entered.push("admin"));
    io.of("/free").on("connection", () => entered.push("free"));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    closing.push(
      () => io.close(),
      () => sessions.close(),
    );
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/socket.io/?EIO=3&transport=polling`;
    const opened = await (await fetch(url)).text();
    const { sid } = JSON.parse(opened.slice(opened.indexOf("{"), opened.indexOf("}") + 1));
    for (const packet of ["40/x/../admin,", "40/admin?/free,", "40/free,"]) {
      await fetch(`${url}&sid=${sid}`, { method: "POST", body: `${packet.length}:${packet}` });
    }
    await expect.poll(() => entered).toEqual(["free"]);
  });
});

describe("a recipe's leftover, io.engine.use(sessions.express())", () => {
  test("touches no session at a poll, and a warning is given", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const store = memoryStore();
    const touch = vi.spyOn(store, "touch");
    await start({
      store,
      touchIntervalMs: 0,
      sockets: (io, sessions) => {
        installHandlers(io);
        io.engine.use(sessions.express());
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect("/", { transports: ["polling"] });
    socket.on("question", (done) => done());
    const before = touch.mock.calls.length;
    const [serverSide] = serverSockets(world.io);
    for (let i = 0; i < 5; i++) await serverSide?.emitWithAck("question"); // a poll each way, and no activity
    expect(touch.mock.calls.length).toBe(before);
    const told = warned.mock.calls.filter(([message]) => String(message).includes("does nothing"));
    expect(told).toHaveLength(1);
    warned.mockRestore();
  });
});

describe("socket.request.session, for applications that come from the recipe", () => {
  test("reads the current data, and throws the cure at a write", async () => {
    const seen: unknown[] = [];
    await start({
      sockets: (io) => {
        io.on("connection", (socket) => {
          const request = socket.request as unknown as {
            session: Record<string, unknown> & { save(): void };
          };
          socket.on("look", (done) => {
            seen.push(request.session.name, "name" in request.session, Object.keys(request.session));
            for (const write of [
              () => {
                request.session.name = "x";
              },
              () => Reflect.deleteProperty(request.session, "name"),
              () => request.session.save(),
              () => {
                request.session = {} as never;
              },
            ]) {
              expect(write).toThrow("socket.session.update");
            }
            done();
          });
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect();
    await socket.emitWithAck("look");
    await ada.post("/write", { name: "lovelace", n: 1 });
    await socket.emitWithAck("look");
    expect(seen).toEqual(["ada", true, ["name"], "lovelace", true, ["name", "n"]]);
    expect(world.errors).toEqual([]);
  });
});

describe("handlers", () => {
  test("on, once, off, prepend and listeners work as before", async () => {
    await start();
    const ada = await world.visitor();
    const socket = await ada.connect();
    const [serverSide] = serverSockets(world.io);
    if (!serverSide) throw new Error("no socket");
    const heard: string[] = [];
    const one = () => heard.push("one");
    const two = () => heard.push("two");
    const once = () => heard.push("once");
    serverSide.on("x", one).prependListener("x", two).once("x", once).prependOnceListener("x", once);
    expect(serverSide.listeners("x")).toEqual([once, two, one, once]);
    expect(serverSide.listenerCount("x")).toBe(4);
    socket.emit("x");
    await socket.emitWithAck("read");
    expect(heard).toEqual(["once", "two", "one", "once"]);
    expect(serverSide.listeners("x")).toEqual([two, one]);
    serverSide.off("x", two).once("x", once).off("x", once);
    socket.emit("x");
    await socket.emitWithAck("read");
    expect(heard).toEqual(["once", "two", "one", "once", "one"]);
    serverSide.removeAllListeners("x");
    expect(serverSide.listenerCount("x")).toBe(0);
  });
});

describe("close()", () => {
  test("ends no session: clients try elsewhere, no new client is let in", async () => {
    const store = memoryStore();
    await start({ store });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect("/", { reconnection: false });
    const gone = disconnected(socket);
    await world.sessions.close();
    expect(await gone).not.toBe("io server disconnect");
    expect((await refused(ada.socket("/", { reconnection: false }))).data).toBeUndefined();
    expect(await store.count?.()).toBe(1);
    expect(world.sessions.stats()).toMatchObject({ live: 0, connections: 0 });
  });
});

describe("close() during a handshake", () => {
  test.each([["polling"], ["websocket"]])("by %s: it is answered, and gets no session", async (transport) => {
    const store = memoryStore();
    await start({ store });
    const ada = await world.visitor({ name: "ada" });
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const read = store.read.bind(store);
    store.read = async (key) => {
      asked.resolve();
      await answer.promise;
      return read(key);
    };
    const refusal = refused(ada.socket("/", { transports: [transport], reconnection: false }));
    await asked.promise;
    const closed = world.sessions.close();
    answer.resolve();
    expect((await refusal).data).toBeUndefined();
    await closed;
    expect(serverSockets(world.io)).toEqual([]);
  });

  test("a client that allowRequest accepts afterwards is closed", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    await start({
      io: {
        allowRequest: async (_req, decide) => {
          asked.resolve();
          await answer.promise;
          decide(null, true);
        },
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const socket = ada.socket("/", { transports: ["websocket"], reconnection: false });
    const over = new Promise<void>((resolve) => {
      socket.once("connect_error", () => resolve());
      socket.io.once("close", () => resolve());
    });
    await asked.promise;
    await world.sessions.close();
    answer.resolve();
    await over;
    expect(socket.connected).toBe(false);
    expect(serverSockets(world.io)).toEqual([]);
    await expect.poll(() => world.io.engine.clientsCount).toBe(0);
  });
});

describe("after connections are closed", () => {
  test("nothing is left, even of many, including those that middleware refused again and again", async () => {
    await start({
      sockets: (io) => {
        installHandlers(io);
        io.of("/refusing").use((socket, next) => {
          socket.session.on("change", () => {});
          next(new Error("no"));
        });
      },
    });
    const ada = await world.visitor();
    const own = new RawPolling(world.url, { cookie: ada.cookie });
    await own.open();
    for (let i = 0; i < 50; i++) {
      await own.send("POST", "40/refusing,");
      await own.send("GET");
    }
    const stats = () => world.sessions.stats();
    expect(stats()).toMatchObject({ live: 1, connections: 1 });
    await own.send("POST", "1");
    await expect.poll(() => stats().connections).toBe(0);
    for (let i = 0; i < 30; i++) {
      const socket = await ada.connect("/", { transports: [i % 2 ? "polling" : "websocket"] });
      socket.disconnect();
    }
    await expect.poll(stats).toMatchObject({ live: 0, connections: 0 });
  });
});
