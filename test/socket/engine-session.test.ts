/** `express-session` on the requests of sockets, left over from a recipe or an application's own: it does nothing, and a warning says so. */
import { createServer } from "node:http";
import session from "express-session";
import type { Server } from "socket.io";
import type { LiveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Browser, refused } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { rawRequest } from "../support/raw-client.ts";
import { secret, startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(async () => {
  vi.restoreAllMocks();
  await world.close();
});

type Middleware = ReturnType<typeof session>;
type Request = Parameters<Middleware>[0];

const shared = { secret, resave: true, saveUninitialized: true, rolling: true };

/** Whose session it is. */
const middlewares: [string, (sessions: LiveSessions) => Middleware][] = [
  ["over sessions.store()", (sessions) => session({ ...shared, name: "sid", store: sessions.store() })],
  ["of the application's own", () => session({ ...shared, name: "other", store: new session.MemoryStore() })],
];

/** Where it is put. */
const places: [string, (io: Server, middleware: Middleware) => void][] = [
  ["io.engine.use", (io, middleware) => io.engine.use(middleware)],
  [
    "io.engine.use, for handshakes only",
    (io, middleware) =>
      io.engine.use((req: Request & { _query: { sid?: string } }, res: never, next: () => void) => {
        if (req._query.sid === undefined) middleware(req, res, next);
        else next();
      }),
  ],
  [
    "io.use",
    (io, middleware) =>
      io.use((socket, next) => middleware(socket.request as Request, {} as never, next as () => void)),
  ],
];

function spied() {
  const store = memoryStore();
  return {
    store,
    touch: vi.spyOn(store, "touch"),
    create: vi.spyOn(store, "create"),
    replace: vi.spyOn(store, "replace"),
    read: vi.spyOn(store, "read"),
  };
}

const told = (warned: ReturnType<typeof warnings>) =>
  warned.mock.calls.filter(([, options]) => JSON.stringify(options)?.includes("ENGINE_SESSION"));

const warnings = () => vi.spyOn(process, "emitWarning").mockImplementation(() => {});

async function start(options: WorldOptions, place: (io: Server, sessions: LiveSessions) => void) {
  world = await startWorld({
    touchIntervalMs: 0,
    ...options,
    sockets: (io, sessions) => {
      installHandlers(io);
      place(io, sessions);
    },
  });
}

/** Some polls each way, none of them an event of the client. */
async function poll(ada: Browser): Promise<void> {
  const socket = await ada.connect("/", { transports: ["polling"] });
  socket.on("question", (done) => done());
  const [serverSide] = serverSockets(world.io);
  for (let i = 0; i < 5; i++) await serverSide?.emitWithAck("question");
}

describe.each(middlewares)("a session %s", (_whose, make) => {
  test.each(places)("on %s: polls are not activity, and one warning is given", async (_place, put) => {
    const warned = warnings();
    const { store, ...calls } = spied();
    await start({ store }, (io, sessions) => put(io, make(sessions)));
    const ada = await world.visitor();
    const { cookie } = ada;
    for (const call of Object.values(calls)) call.mockClear();
    await poll(ada);
    await poll(ada);
    expect(calls.read.mock.calls).toHaveLength(2); // one for each handshake
    expect(calls.touch.mock.calls).toHaveLength(2); // a client that connects is active
    expect([calls.create.mock.calls, calls.replace.mock.calls]).toEqual([[], []]);
    expect(ada.cookie).toBe(cookie);
    await expect.poll(() => told(warned)).toHaveLength(1);
    expect(String(told(warned)[0]?.[0])).toContain("Remove it");
  });

  test.each([["polling"], ["websocket"]])(
    "stores nothing for clients that are refused by %s",
    async (transport) => {
      warnings();
      const { store, ...calls } = spied();
      await start({ store }, (io, sessions) => io.engine.use(make(sessions)));
      const eve = world.browser();
      const refusal = await refused(eve.socket("/", { transports: [transport], reconnection: false }));
      expect(refusal.data).toEqual({ code: "SESSION_REQUIRED" });
      const preflight = await rawRequest(`${world.url}/socket.io/?EIO=4&transport=polling`, "OPTIONS", {});
      expect(preflight.headers["set-cookie"]).toBeUndefined();
      expect(calls.create.mock.calls).toEqual([]);
    },
  );

  test("leaves guests as they are", async () => {
    warnings();
    const { store, ...calls } = spied();
    await start({ store, guests: "allow" }, (io, sessions) => io.engine.use(make(sessions)));
    const guest = world.browser();
    await poll(guest);
    expect([guest.cookie, calls.create.mock.calls]).toEqual(["", []]);
  });
});

describe("without one", () => {
  test("no warning is given, whatever code reads the session", async () => {
    const warned = warnings();
    await start({}, (io) => {
      io.engine.use((req: Request, _res: never, next: () => void) => {
        if (req.session) next();
      });
      io.use((socket, next) => next((socket.request as Request).session ? undefined : new Error("none")));
    });
    await poll(await world.visitor());
    expect(warned.mock.calls).toEqual([]);
  });

  test("nor for an application's own function named session", async () => {
    const warned = warnings();
    await start({}, (io) => {
      function session(request: unknown) {
        return (request as Request).session;
      }
      io.engine.use((req: Request, _res: never, next: () => void) => {
        if (session(req)) next();
      });
      io.use((socket, next) => next(session(socket.request) ? undefined : new Error("none")));
    });
    await poll(await world.visitor());
    expect(warned.mock.calls).toEqual([]);
  });

  test("a middleware of the engine finds the session's data on polls", async () => {
    const seen = new Set<string>();
    await start({}, (io) => {
      io.engine.use((req: Request & { _query: { sid?: string } }, _res: never, next: () => void) => {
        seen.add(`${req._query.sid ? "poll" : "handshake"} ${JSON.stringify(req.session)}`);
        next();
      });
    });
    await poll(await world.visitor({ name: "ada" }));
    expect([...seen].sort()).toEqual(['handshake {"name":"ada"}', 'poll {"name":"ada"}']);
  });
});

describe("requests that an application passes to Engine.IO itself", () => {
  test("keep the session that they came with", async () => {
    await start({}, () => {});
    const { engine } = world.io;
    let isOwn = false;
    const http = createServer((req, res) => {
      Object.assign(req, { session: { own: true } });
      res.once("finish", () => {
        isOwn = Reflect.get(req, "session").own;
      });
      engine.handleRequest(req as never, res as never);
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const address = http.address();
    const port = typeof address === "object" ? address?.port : 0;
    await rawRequest(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`, "GET", {});
    http.close();
    expect(isOwn).toBe(true);
  });
});
