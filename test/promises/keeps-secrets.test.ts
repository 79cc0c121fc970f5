import { format, inspect, promisify } from "node:util";
import createDebug from "debug";
import session from "express-session";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { sessionNames } from "../../src/data/session-key.ts";
import { refused } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { describeStores } from "../support/matrix.ts";
import { secret, startWorld, type World } from "../support/world.ts";

let world: World | undefined;
afterEach(async () => {
  createDebug.disable();
  await world?.close();
  world = undefined;
});

describeStores("the session id", ({ store }) => {
  test("is in no event, error, log line, message, room, or socket.data; public ids are", async () => {
    const said: unknown[] = [];
    const write = createDebug.log;
    createDebug.log = (...line: unknown[]) => void said.push(line);
    createDebug.enable("socket-session*");
    world = await startWorld({
      store: store.open(),
      sockets: (io, sessions) => {
        installHandlers(io, (socket) => {
          said.push(socket.data, [...socket.rooms], socket.session.publicId, Object.keys(socket.handshake));
        });
        for (const event of [
          "change",
          "end",
          "refuse",
          "lifecycle",
          "conflict",
          "discard",
          "error",
        ] as const) {
          sessions.on(event, (...args: unknown[]) => said.push([event, args]));
        }
      },
      routes: (app, sessions) => {
        app.post("/fail", async (req, res) => {
          const handle = sessions.of(req);
          for (const fn of [
            () => handle.update(() => handle.update(() => {})),
            () => handle.update((s) => void Object.assign(s, { n: 1n })),
          ]) {
            await fn().catch((error: unknown) => said.push(error));
          }
          await handle.end();
          await handle.update(() => {}).catch((error: unknown) => said.push(error));
          req.session.name = "late";
          res.send("ok");
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const { id } = JSON.parse(await ada.get("/session"));
    const socket = await ada.connect();
    socket.onAny((...message) => said.push(message));
    const { publicId } = serverSockets(world.io)[0]?.session ?? { publicId: "" };
    await ada.post("/write", { name: "lovelace" });
    await ada.post("/fail");
    await refused(ada.socket());
    said.push(world.sessions.stats());
    createDebug.log = write;
    const text = inspect(said, { depth: 12, maxStringLength: null, maxArrayLength: null });
    expect(text).toContain(publicId);
    for (const type of ["created", "ended", "refused"]) expect(text).toContain(`type: '${type}'`);
    expect(publicId).toMatch(/^[\w-]{22}$/);
    expect(text).not.toContain(id);
    expect(text).not.toContain(encodeURIComponent(id));
  });
});

test("a handle that is logged, sent or written as JSON shows neither the id nor a secret", async () => {
  const shown: string[] = [];
  world = await startWorld({
    sockets: (io) =>
      installHandlers(io, (socket) => {
        socket.on("show", (done) => {
          shown.push(inspect(socket.session, { depth: 12 }), JSON.stringify(socket.session));
          done(socket.session);
        });
      }),
    routes: (app, sessions) => {
      app.get("/show", (req, res) => {
        shown.push(inspect(sessions.of(req), { depth: 12 }), inspect(sessions, { depth: 2 }));
        res.json(sessions.of(req));
      });
    },
  });
  const ada = await world.visitor({ name: "ada" });
  const { id } = JSON.parse(await ada.get("/session"));
  const socket = await ada.connect();
  const { publicId } = serverSockets(world.io)[0]?.session ?? { publicId: "" };
  expect(await socket.emitWithAck("show")).toEqual({ publicId });
  expect(JSON.parse(await ada.get("/show"))).toEqual({ publicId });
  for (const text of shown) {
    expect(text).not.toContain(id);
    expect(text).not.toContain(secret);
  }
});

test("the handle of a guest shows no more than that of a session", async () => {
  world = await startWorld({ guests: "allow" });
  await (await world.visitor()).connect();
  await world.browser().connect();
  const { io } = world;
  await expect.poll(() => serverSockets(io)).toHaveLength(2);
  for (const { session } of serverSockets(io)) {
    expect(Object.keys(session)).toEqual(["publicId"]);
    expect(JSON.parse(JSON.stringify(session))).toEqual({ publicId: session.publicId });
  }
});

test("our message does not repeat a store's error that names its key", async () => {
  const store = memoryStore();
  world = await startWorld({ store });
  const ada = await world.visitor();
  const { id } = JSON.parse(await ada.get("/session"));
  store.read = async ({ sid }) => {
    throw new Error(`WRONGTYPE for key sess:${sid} (${encodeURIComponent(sid)})`);
  };
  await ada.get("/session").catch(() => {});
  await refused(ada.socket("/", { reconnection: false }));
  const said = world.errors.map(String).join();
  expect(said).toMatch(/The read of session \S+ in the memory store failed: Error\. See its cause/);
  expect(said).not.toContain(id);
  expect(said).not.toContain("for key");
});

test("a handler that rethrows the error of a wrapped store reveals its name and code alone", async () => {
  const store = new session.MemoryStore();
  const written: string[] = [];
  const write = createDebug.log;
  createDebug.log = (...args: unknown[]) => void written.push(format(...args));
  createDebug.enable("socket-session");
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => {
    createDebug.disable();
    createDebug.log = write;
    warned.mockRestore();
  });
  world = await startWorld({
    store,
    sockets: (io, sessions) =>
      io.on("connection", (socket) => {
        const store = sessions.store();
        socket.on("raw", promisify(store.get.bind(store)));
        socket.on("cause", () =>
          socket.session.reload().catch((error) => {
            throw error.cause;
          }),
        );
      }),
  });
  const ada = await world.visitor({ name: "ada" });
  const { id } = JSON.parse(await ada.get("/session"));
  const socket = await ada.connect();
  store.get = (sid, callback) => {
    const message = `GET sess:${sid} {"name":"ada"} at redis://:hunter2@db`;
    callback(Object.assign(new Error(message), { code: "ECONNRESET" }));
  };
  const { errors, sessions } = world;
  const both = () => {
    socket.emit("raw", id);
    socket.emit("cause");
  };
  both();
  await expect
    .poll(() => errors.map(String).sort())
    .toEqual([
      'SocketSessionError: A handler of "cause" in / failed: Error ECONNRESET. See its cause.',
      'SocketSessionError: A handler of "raw" in / failed: Error ECONNRESET. See its cause.',
    ]);
  sessions.removeAllListeners("error");
  both();
  await expect
    .poll(() => warned.mock.calls.filter(([message]) => /^A handler/.test(String(message))))
    .toHaveLength(2);
  const said = [
    ...errors.map((error) => (error as Error).stack),
    ...written,
    inspect(warned.mock.calls),
  ].join("\n");
  expect(said).toContain("keeps-secrets.test.ts:");
  for (const hidden of [id, "hunter2", "GET sess"]) expect(said).not.toContain(hidden);
});

test("public ids are keyed: another secret gives others; a rotation knows both", () => {
  const [old, both] = [sessionNames(["old"]), sessionNames(["new", "old"])];
  expect(old("a").publicId).not.toBe(sessionNames(["other"])("a").publicId);
  expect(both("a").publicId).not.toBe(old("a").publicId);
  expect(both("a").publicIds).toContain(old("a").publicId);
  expect(old("a\ud800").publicId).not.toBe(old("a\ud801").publicId);
});

test("sessions.end({ publicId }) ends a session that is live here, also by its public id of an older secret", async () => {
  const store = memoryStore();
  world = await startWorld({ store, secret: ["new", "old"], sockets: (io) => installHandlers(io) });
  const ada = await world.visitor();
  const { id } = JSON.parse(await ada.get("/session"));
  await ada.connect();
  const { publicId } = sessionNames(["old"])(id);
  expect(await world.sessions.end({ publicId })).toBe(true);
  expect(await world.sessions.end({ publicId })).toBe(false);
  const other = liveSessions({ store, secret: "x" });
  expect(await other.end({ publicId: "unknown" })).toBe(false);
  await other.close();
});
