/** A process that stops lets what it has begun finish: `Promise.all([io.close(), sessions.close()])`, as the guides write it. */
import type { SessionKey, SessionStore } from "socket-session";
import { sqliteStore } from "socket-session/sqlite";
import { afterEach, expect, test } from "vitest";
import { newFile } from "../stores/sqlite/files.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { describeKinds } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** Something that tests let go. */
function gate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  return {
    reached,
    open,
    pass: () => {
      reach();
      return opened;
    },
  };
}

describeKinds("closing", (kind) => {
  test("waits for a request under way, whose save succeeds", async () => {
    const { reached, open, pass } = gate();
    world = await startWorld({
      store: kind.open(),
      routes: (app) =>
        app.post("/slow", async (req, res) => {
          await pass();
          req.session.n = 1;
          req.session.save((error?: unknown) => res.status(error ? 500 : 200).end());
        }),
    });
    const visitor = await world.visitor();
    const answer = visitor.request("/slow", { method: "POST" });
    await reached;
    const closed = Promise.all([world.io.close(), world.sessions.close()]);
    await settle();
    open();
    expect((await answer).status).toBe(200);
    world.http.closeIdleConnections(); // the client keeps its connection for the next request
    await closed;
    expect(world.errors).toEqual([]);
  });

  test("waits for an update under way, which is written", async () => {
    const { reached, open, pass } = gate();
    const { promise: outcome, resolve: settled } = Promise.withResolvers<unknown>();
    world = await startWorld({
      store: kind.open(),
      sockets: (io) =>
        io.on("connection", (socket) => {
          socket.on("go", () => {
            socket.session
              .update(async (s) => {
                await pass();
                s.n = 1;
                return "written";
              })
              .then(settled, settled);
          });
        }),
    });
    const visitor = await world.visitor();
    const socket = await visitor.connect();
    socket.emit("go");
    await reached;
    const closed = world.sessions.close();
    await settle();
    open();
    expect(await outcome).toBe("written");
    await closed;
  });
});

test("waits for a request whose session is being loaded, and for an update that it begins after its response", async () => {
  const loading = gate();
  const outcomes: unknown[] = [];
  const store = sqliteStore({ path: newFile() });
  const read = store.read.bind(store);
  let isHeld = false;
  const slow: SessionStore = Object.assign(Object.create(store), {
    async read(key: SessionKey) {
      const found = await read(key);
      if (isHeld) await loading.pass();
      return found;
    },
  });
  world = await startWorld({
    store: slow,
    routes: (app, sessions) =>
      app.post("/later", async (req, res) => {
        req.session.n = 7;
        req.session.save((error?: unknown) => {
          outcomes.push(error ?? "saved");
          res.end();
          const written = sessions.of(req).update(async (s) => {
            await settle();
            s.m = 5;
            return "written";
          });
          written.then(
            (done) => outcomes.push(done),
            (failure) => outcomes.push(failure),
          );
        });
      }),
  });
  const visitor = await world.visitor();
  isHeld = true;
  const answer = visitor.request("/later", { method: "POST" });
  await loading.reached;
  const closed = world.sessions.close();
  await settle();
  isHeld = false;
  loading.open();
  await closed;
  await answer;
  expect(outcomes).toEqual(["saved", "written"]);
});

test("takes a response that is no emitter, as a handshake of `ws` may bring", async () => {
  world = await startWorld();
  const { sessions } = world;
  const request = { headers: {}, url: "/", socket: {}, connection: {}, method: "GET" };
  const outcome = await new Promise((resolve) => {
    sessions.express()(request as never, {} as never, (error?: unknown) => resolve(error ?? "next"));
  });
  expect(outcome).toBe("next");
});

test("gives up on a request that never ends", async () => {
  const clock = new ManualClock();
  const { reached, pass } = gate();
  world = await startWorld({ clock, routes: (app) => app.post("/slow", () => void pass()) });
  const visitor = await world.visitor();
  const answer = visitor.request("/slow", { method: "POST" }).catch(() => {});
  await reached;
  let isClosed = false;
  const closed = world.sessions.close().then(() => {
    isClosed = true;
  });
  await settle(); // the transports are closed first
  await clock.advance(4_999);
  expect(isClosed).toBe(false);
  await clock.advance(1);
  await closed;
  world.http.closeAllConnections();
  await answer;
});

test("does not wait for an answer that was sent, though nothing tells of it", async () => {
  world = await startWorld({
    clock: new ManualClock(), // so that giving up would take forever
    routes: (app) =>
      app.post("/silent", (_req, res) => {
        res.removeAllListeners();
        res.end();
      }),
  });
  const visitor = await world.visitor();
  await visitor.request("/silent", { method: "POST" });
  await world.sessions.close();
});

test("listens to a response once, whoever the request is passed on as", async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on("warning", warned);
  world = await startWorld({
    routes: (app, sessions) =>
      app.post("/wrapped", async (req, res) => {
        const middleware = sessions.express();
        for (let at = 0; at < 12; at++)
          await new Promise((next) => middleware(Object.create(req), res, next));
        res.end();
      }),
  });
  const visitor = await world.visitor();
  await visitor.request("/wrapped", { method: "POST" });
  await settle();
  process.off("warning", warned);
  expect(warnings.filter(({ name }) => name === "MaxListenersExceededWarning")).toEqual([]);
});
