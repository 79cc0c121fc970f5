import session from "express-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test, vi } from "vitest";
import { disconnected, refused } from "../support/browser.ts";
import { installHandlers, namespaces, serverSockets } from "../support/handlers.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { describeEverywhere, describeStores } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

describeEverywhere("a failing handler", ({ store, transports, namespace }) => {
  test("is reported by the error event, and the process and the socket go on", async () => {
    world = await startWorld({
      store: store.open(),
      sockets: (io) =>
        installHandlers(io, (socket) => {
          socket.use(async ([event], next) => {
            if (event === "use rejects") throw new Error(event);
            next();
          });
          const silent = () => {};
          socket.prependAny(silent).offAny(silent);
          socket.onAny((event) => {
            if (event === "any throws") throw new Error(event);
          });
          socket.on("throw", () => {
            throw new Error("thrown");
          });
          socket.once("reject", async () => {
            throw new Error("rejected");
          });
          socket.prependListener("throw in update", async () => {
            await socket.session.update(() => {
              throw new Error("thrown in update");
            });
          });
          socket.on("nested", () => socket.session.update(() => socket.session.update(() => {})));
          socket.on("cycle", () =>
            socket.session.update((s) => {
              const cycle: Record<string, unknown> = {};
              cycle.self = cycle;
              Object.assign(s, { cycle });
            }),
          );
          socket.on("cookie", () => socket.session.update((s) => void Object.assign(s, { cookie: {} })));
        }),
    });
    const ada = await world.visitor({ name: "ada", n: 1 });
    const socket = await ada.connect(namespace, { transports });
    const events = [
      "throw",
      "reject",
      "throw in update",
      "nested",
      "cycle",
      "cookie",
      "use rejects",
      "any throws",
    ];
    for (const event of events) socket.emit(event);
    await expect.poll(() => world.errors.length).toBe(events.length);
    const causes = world.errors.map((error) => String((error as Error).cause));
    expect(causes).toEqual(
      expect.arrayContaining([
        "Error: thrown",
        "Error: use rejects",
        "Error: any throws",
        "Error: rejected",
        "Error: thrown in update",
        expect.stringContaining("inside an update() of the same session"),
        expect.stringContaining('"cycle" cannot be written as JSON'),
        expect.stringContaining("belongs to express-session"),
      ]),
    );
    socket.emit("reject"); // `once`: it is not there any more
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada", n: 1 });
    expect(world.errors).toHaveLength(events.length);
  });

  test("in connection handlers and middleware too; a socket whose middleware failed stays out", async () => {
    let fail = "";
    world = await startWorld({
      store: store.open(),
      sockets: (io) => {
        for (const one of namespaces) {
          const nsp = io.of(one);
          nsp.use(async (socket, next) => {
            if (fail === "middleware rejects") await Promise.reject(new Error(fail));
            if (fail === "update in middleware")
              await socket.session.update(() => Promise.reject(new Error(fail)));
            next();
          });
          nsp.use((_socket, next) => {
            if (fail === "middleware throws") throw new Error(fail);
            next();
          });
          nsp.on("connection", async () => {
            if (fail === "connection rejects") throw new Error(fail);
          });
          nsp.once("connection", () => {
            if (fail === "connection throws") throw new Error(fail);
          });
          nsp.on("connection", (socket) => socket.on("read", (done) => done(socket.session.data)));
        }
      },
    });
    const ada = await world.visitor({ name: "ada" });
    for (fail of ["connection throws", "connection rejects"]) {
      const socket = await ada.connect(namespace, { transports });
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    }
    for (fail of ["middleware throws", "middleware rejects", "update in middleware"]) {
      expect((await refused(ada.socket(namespace, { transports }))).message).toBe("internal error");
    }
    expect(world.errors.map((error) => String((error as Error).cause))).toEqual([
      "Error: connection throws",
      "Error: connection rejects",
      "Error: middleware throws",
      "Error: middleware rejects",
      "Error: update in middleware",
    ]);
  });

  test("events after the end of a session reach no handler; those under way reject without harm", async () => {
    const after: string[] = [];
    world = await startWorld({
      store: store.open(),
      sockets: (io) =>
        installHandlers(io, (socket) => {
          socket.on("end and go on", async () => {
            await socket.session.end();
            after.push(socket.session.state, String(socket.session.data.name));
            await socket.session.update((s) => {
              s.name = "revived";
            });
          });
          socket.on("later", () => after.push("later"));
        }),
    });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect(namespace, { transports });
    const gone = disconnected(socket);
    socket.emit("end and go on");
    socket.emit("later");
    await gone;
    await expect.poll(() => world.errors.length).toBe(1);
    expect(after.filter((entry) => entry !== "later")).toEqual(["ended", "ada"]);
    expect(String(world.errors[0])).toContain("has ended");
    expect(JSON.parse(await ada.get("/session")).data).toEqual({});
  });
});

describeStores("an update that hangs", ({ store }) => {
  test("times out, and the next one runs", async () => {
    const clock = new ManualClock();
    world = await startWorld({
      store: store.open(),
      clock,
      updateTimeoutMs: 5000,
      sockets: (io) => installHandlers(io),
    });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect();
    const [serverSide] = serverSockets(world.io);
    const hung = serverSide?.session.update(() => new Promise(() => {}));
    const outcome = expect(hung).rejects.toMatchObject({ code: "SESSION_UPDATE_TIMEOUT" });
    const next = socket.emitWithAck("increment");
    await settle();
    await clock.advance(5000);
    await outcome;
    expect(await next).toBe(1);
  });

  test("an update may await a request of its own session", async () => {
    world = await startWorld({ store: store.open() });
    const ada = await world.visitor({ name: "ada" });
    await ada.connect();
    const [serverSide] = serverSockets(world.io);
    let runs = 0;
    await serverSide?.session.update(async (s) => {
      if (runs++ === 0) await ada.post("/increment");
      s.n = (s.n ?? 0) + 1;
    });
    expect(runs).toBe(2); // the request's save was faster once
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", n: 1, m: 1 });
  });
});

type Misbehave = (method: string, callback: (error?: unknown, value?: unknown) => void) => boolean;

/** An express-session store that does wrong where it is told to. */
class WildStore extends session.MemoryStore {
  misbehave: Misbehave = () => false;

  override get(sid: string, callback: (error: unknown, session?: session.SessionData | null) => void): void {
    if (!this.misbehave("get", callback as never)) super.get(sid, callback);
  }

  override set(sid: string, data: session.SessionData, callback?: (error?: unknown) => void): void {
    if (!this.misbehave("set", (callback ?? (() => {})) as never)) super.set(sid, data, callback);
  }

  override touch(sid: string, data: session.SessionData, callback?: () => void): void {
    if (!this.misbehave("touch", (callback ?? (() => {})) as never)) super.touch(sid, data, callback);
  }

  override destroy(sid: string, callback?: (error?: unknown) => void): void {
    if (!this.misbehave("destroy", (callback ?? (() => {})) as never)) super.destroy(sid, callback);
  }
}

describe("a faulty store", () => {
  const faults: [string, Misbehave][] = [
    [
      "throws synchronously",
      () => {
        throw new Error("wild");
      },
    ],
    [
      "calls back with an error, twice",
      (_method, callback) => {
        callback(new Error("wild"));
        callback(new Error("wild again"));
        return true;
      },
    ],
    ["never calls back", () => true],
  ];

  test.each(faults)(
    "that %s: handshakes are refused, requests get the error, nothing crashes",
    async (name, fault) => {
      const store = new WildStore();
      world = await startWorld({
        store,
        storeTimeoutMs: 50,
        touchIntervalMs: 0,
        sockets: (io) => installHandlers(io),
      });
      const ada = await world.visitor({ name: "ada" });
      const socket = await ada.connect();
      store.misbehave = (method, callback) => method !== "set" && fault(method, callback);
      // Its own error, as from express-session alone; or that of the time that is over.
      expect((await ada.request("/session")).status).toBe(name === "never calls back" ? 503 : 500);
      const handshake = ada.socket("/", { transports: ["websocket"], reconnection: false });
      expect((await refused(handshake)).data).toBeUndefined();
      await socket.emitWithAck("read");
      await expect.poll(() => world.errors.length).toBeGreaterThan(1);
      expect(
        world.errors.every((error) => /STORE_(FAILED|TIMEOUT)/.test((error as { code: string }).code)),
      ).toBe(true);
      store.misbehave = () => false;
      expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
      expect(await socket.emitWithAck("increment")).toBe(1);
    },
  );

  test("that answers twice: the first answer counts, once", async () => {
    const store = new WildStore();
    let seen = 0;
    world = await startWorld({
      store,
      routes: (app) => {
        app.get("/seen", (_req, res) => {
          seen++;
          res.send("seen");
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    store.misbehave = (method, callback) => {
      if (method !== "get") return false;
      const answer = { cookie: { originalMaxAge: null }, name: "twice" };
      callback(null, answer);
      callback(null, answer);
      return true;
    };
    expect(await ada.get("/seen")).toBe("seen");
    expect(seen).toBe(1);
  });

  test("a callback of the application that throws is reported, and called once", async () => {
    let calls = 0;
    world = await startWorld({
      store: memoryStore(),
      routes: (app) => {
        app.post("/throwing", (req, res) => {
          req.session.n = 1;
          req.session.save(() => {
            calls++;
            res.send("sent");
            throw new Error("from the callback");
          });
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    expect(await ada.post("/throwing")).toBe("sent");
    expect(calls).toBe(1);
    expect(world.errors).toMatchObject([{ code: "LISTENER_FAILED", cause: new Error("from the callback") }]);
  });

  test("rejections of async listeners are reported", async () => {
    world = await startWorld({
      sockets: (io, sessions) => {
        sessions.on("change", async () => {
          throw new Error("sessions");
        });
        io.on("connection", ({ session: live }) => {
          live.on("change", async () => {
            throw new Error("change");
          });
          live.once("end", async () => {
            throw new Error("end");
          });
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    await ada.connect();
    await ada.post("/write", { n: 1 });
    await ada.post("/logout");
    const messages = () => world.errors.map((error) => (error as Error).message).sort();
    await expect
      .poll(messages)
      .toEqual([
        'A listener of "change" of a session failed: Error. See its cause.',
        'A listener of "change" of sessions failed: Error. See its cause.',
        'A listener of "end" of a session failed: Error. See its cause.',
      ]);
  });

  test("each end is reported once; a refused handshake is not another", async () => {
    const ends: string[] = [];
    world = await startWorld({
      routes: (_app, sessions) => sessions.on("end", ({ reason }) => ends.push(reason)),
    });
    const ada = await world.visitor({ name: "ada" });
    const { cookie } = ada;
    await ada.connect();
    await ada.post("/logout");
    ada.cookie = cookie;
    for (let i = 0; i < 3; i++) await refused(ada.socket());
    expect(ends).toEqual(["destroyed"]);
  });

  test("without an error listener a failure becomes a process warning", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const store = memoryStore();
    world = await startWorld({ store });
    world.sessions.removeAllListeners("error");
    const ada = await world.visitor();
    store.read = async () => {
      throw new Error("down");
    };
    await refused(ada.socket("/", { reconnection: false }));
    const [message, details] = warned.mock.calls[0] ?? [];
    expect(message).toMatch(/^The read of session \S+ in the memory store failed: Error/);
    expect(details).toMatchObject({ code: "STORE_FAILED", type: "SocketSessionError" });
    warned.mockRestore();
  });
});

describe("a failed save", () => {
  test("is repeated at the end of the response, once the store works again", async () => {
    const store = memoryStore();
    const failed: unknown[] = [];
    world = await startWorld({
      store,
      routes: (app) => {
        app.post("/failing", async (req, res) => {
          const replace = store.replace;
          store.replace = async () => {
            throw new Error("not now");
          };
          req.session.n = 1;
          await new Promise<void>((resolve) => {
            req.session.save((error) => {
              failed.push(error?.code);
              resolve();
            });
          });
          store.replace = replace;
          res.send("ok");
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    await ada.post("/failing");
    expect(failed).toEqual(["STORE_FAILED"]);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", n: 1 });
  });
});

describe("a session that cannot be verified at its deadline", () => {
  test("is not served for ever: its sockets close, and stock clients reconnect when the store does", async () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    const read = store.read.bind(store);
    const hour = 3_600_000;
    world = await startWorld({
      store,
      clock,
      cookie: { maxAge: hour },
      sockets: (io) => installHandlers(io),
    });
    const ada = await world.visitor({ name: "ada" });
    const { id: sid } = JSON.parse(await ada.get("/session"));
    const socket = await ada.connect("/", { transports: ["websocket"] });
    const back = new Promise<void>((resolve) => socket.io.once("reconnect", () => resolve()));
    const gone = disconnected(socket);
    await clock.advance(hour - 1000);
    // another node extends it, which this one would see by asking
    await store.touch({ sid, publicId: "", publicIds: [] }, clock.now() + hour, {});
    let down = true;
    store.read = async (key) => {
      if (down) throw new Error("down");
      return read(key);
    };
    await clock.advance(20_000);
    expect(serverSockets(world.io)).toHaveLength(1); // its time seems over, but who knows
    await clock.advance(20_000);
    expect(serverSockets(world.io)).toHaveLength(0);
    expect(await gone).toBe("transport close");
    down = false;
    await back;
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    expect(await ada.post("/update")).toBe("1"); // it had not ended
  });
});
