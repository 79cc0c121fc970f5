import type { Request } from "express";
import type { SessionData } from "express-session";
import { type LiveSessions, liveSessions } from "socket-session";
import { afterEach, describe, expect, test } from "vitest";
import { disconnected, refused } from "../support/browser.ts";
import { connectEverywhere } from "../support/ends.ts";
import { installHandlers, namespaces, serverSockets } from "../support/handlers.ts";
import { settle } from "../support/manual-clock.ts";
import { describeEverywhere, describeKinds, describeStores, transportKinds } from "../support/matrix.ts";
import { secret, startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

const sessionOf = async (browser: { get(path: string): Promise<string> }) =>
  JSON.parse(await browser.get("/session"));

describeKinds("an end closes every socket of its session and no other", (store) => {
  describe.each(transportKinds)("by $name", (kind) => {
    const transports = [...kind.transports];

    async function twoVisitors() {
      world = await startWorld({ store: store.open(), sockets: (io) => installHandlers(io) });
      const ada = await world.visitor({ name: "ada" });
      const eve = await world.visitor({ name: "eve" });
      const sid: string = (await sessionOf(ada)).id;
      const own = await connectEverywhere(world, ada, transports);
      const others = await connectEverywhere(world, eve, transports);
      return { ada, sid, own, others };
    }

    async function expectOthersUnharmed(others: Awaited<ReturnType<typeof connectEverywhere>>) {
      expect(others.serverSides.every((socket) => socket.connected)).toBe(true);
      for (const client of others.clients) expect(await client.emitWithAck("read")).toEqual({ name: "eve" });
    }

    test("sessions.end(sid): at once on this node, told as revoked, and the stock client stays away", async () => {
      const { sid, own, others } = await twoVisitors();
      expect(await world.sessions.end(sid)).toBe(true);
      expect(own.serverSides).toHaveLength(6);
      expect(own.serverSides.map((socket) => socket.connected)).toEqual(Array(6).fill(false));
      expect(await own.ends).toEqual(Array(6).fill("io server disconnect"));
      expect(own.told).toEqual(Array(6).fill({ reason: "revoked" }));
      expect(own.clients.map((client) => client.active)).toEqual(Array(6).fill(false));
      await expectOthersUnharmed(others);
      expect(await world.sessions.end(sid)).toBe(false);
    });

    test("logout: before the response is sent", async () => {
      const { ada, own, others } = await twoVisitors();
      const cookie = ada.cookie;
      await ada.post("/logout");
      expect(own.serverSides.map((socket) => socket.connected)).toEqual(Array(6).fill(false));
      expect(await own.ends).toEqual(Array(6).fill("io server disconnect"));
      expect(own.told).toEqual(Array(6).fill({ reason: "destroyed" }));
      await expectOthersUnharmed(others);
      ada.cookie = cookie;
      expect((await refused(ada.socket("/", { transports }))).data).toEqual({ code: "SESSION_ENDED" });
    });

    test("regenerate: silent at once, closed with the response, and a stock client is back with the new cookie", async () => {
      const { ada, own, others } = await twoVisitors();
      const back = Promise.all(
        own.clients.map((client) => new Promise((resolve) => client.once("connect", () => resolve(0)))),
      );
      await ada.post("/login", { name: "lovelace" });
      const reasons = await own.ends;
      expect(reasons.filter((reason) => reason === "io server disconnect")).toEqual([]);
      await back;
      for (const client of own.clients)
        expect(await client.emitWithAck("read")).toEqual({ name: "lovelace" });
      expect(own.told).toEqual([]);
      await expectOthersUnharmed(others);
    });

    test("end() in a handler of one socket", async () => {
      const { own, others } = await twoVisitors();
      own.clients[0]?.emit("end", () => {});
      expect(await own.ends).toEqual(Array(6).fill("io server disconnect"));
      await expectOthersUnharmed(others);
      expect(world.errors).toEqual([]);
    });
  });
});

describeEverywhere("nothing revives an ended session", ({ store, transports, namespace }) => {
  test("neither a request that loaded it before, nor a late update, a poll, or the old cookie", async () => {
    const late: Record<string, unknown> = {};
    let logout = async () => {};
    world = await startWorld({
      store: store.open(),
      routes: (app) => {
        app.post("/around", async (req, res) => {
          await logout();
          req.session.name = "revived";
          await new Promise<void>((done) => {
            req.session.save((error) => {
              late.explicit = error?.code;
              done();
            });
          });
          res.send("saved");
        });
        app.post("/touching", async (_req, res) => {
          await logout();
          res.send("touched");
        });
      },
      touchIntervalMs: 0,
      sockets: (io) =>
        installHandlers(io, (socket) => {
          socket.on("around", async () => {
            await logout();
            late.state = socket.session.state;
            late.data = socket.session.data;
            late.update = await socket.session.update(() => {}).catch((error) => error.code);
          });
        }),
    });
    for (const path of ["/around", "/touching"]) {
      const ada = await world.visitor({ name: "ada" });
      const { cookie } = ada;
      const socket = await ada.connect(namespace, { transports });
      logout = async () => {
        const other = world.browser();
        other.cookie = cookie;
        await other.post("/logout");
      };
      const gone = disconnected(socket);
      await ada.post(path);
      expect(await gone).toBe("io server disconnect");
      ada.cookie = cookie;
      expect((await sessionOf(ada)).data).toEqual({});
      ada.cookie = cookie;
      expect((await refused(ada.socket(namespace, { transports }))).data).toEqual({ code: "SESSION_ENDED" });
    }
    expect(late.explicit).toBe("SESSION_ENDED");
    expect(world.sessions.stats().discarded).toBeGreaterThan(0);

    const eve = await world.visitor({ name: "eve" });
    const { cookie } = eve;
    const socket = await eve.connect(namespace, { transports });
    logout = async () => {
      const other = world.browser();
      other.cookie = cookie;
      await other.post("/logout");
    };
    const gone = disconnected(socket);
    socket.emit("around");
    await gone;
    await expect.poll(() => late.update).toBe("SESSION_ENDED");
    expect(late).toMatchObject({ state: "ended", data: { name: "eve" } });
    eve.cookie = cookie;
    expect((await sessionOf(eve)).data).toEqual({});
    expect(world.errors).toEqual([]);
  });

  test.each(["/logout", "/regenerate"])(
    "a socket still in async middleware at a %s never connects",
    async (end) => {
      const connections: string[] = [];
      const entered = Promise.withResolvers<unknown>();
      const left = Promise.withResolvers<void>();
      world = await startWorld({
        store: store.open(),
        sockets: (io) => {
          for (const one of namespaces) {
            const nsp = io.of(one);
            nsp.use(async (socket, next) => {
              entered.resolve(socket.session.data.name);
              await left.promise;
              next();
            });
            nsp.on("connection", (socket) => connections.push(socket.id));
          }
        },
      });
      const ada = await world.visitor({ name: "ada" });
      const { cookie } = ada;
      const socket = ada.socket(namespace, { transports, reconnection: false });
      expect(await entered.promise).toBe("ada");
      const other = world.browser();
      other.cookie = cookie;
      await other.post(end);
      left.resolve();
      await settle();
      expect(connections).toEqual([]);
      expect(socket.connected).toBe(false);
    },
  );
});

describeStores("explicit and implicit saves", ({ store }) => {
  test("only an explicit save of an ended session is told of it; both are told as discard", async () => {
    const discarded: string[] = [];
    const seen: unknown[] = [];
    world = await startWorld({
      store: store.open(),
      routes: (app, sessions) => {
        sessions.on("discard", ({ publicId }) => discarded.push(publicId));
        app.post("/implicit", async (req, res) => {
          await sessions.end(req.sessionID);
          req.session.name = "revived";
          res.send("fine");
        });
        app.post("/unchanged", async (req, res) => {
          await sessions.end(req.sessionID);
          req.session.save((error) => {
            seen.push(error?.code);
            res.send("fine");
          });
        });
        app.use((error: Error, _req: unknown, _res: unknown, next: (error: Error) => void) => {
          seen.push(error);
          next(error);
        });
      },
    });
    const ada = await world.visitor();
    expect(await ada.post("/implicit")).toBe("fine");
    expect(seen).toEqual([]);
    const eve = await world.visitor();
    expect(await eve.post("/unchanged")).toBe("fine");
    expect(seen).toEqual(["SESSION_ENDED"]);
    expect(discarded.length).toBeGreaterThanOrEqual(2);
    expect(serverSockets(world.io)).toEqual([]);
  });
});

describeStores("a session that ends before it was ever stored", ({ store }) => {
  test.each([
    ["of(req).end()", async (req: Request, sessions: LiveSessions) => void (await sessions.of(req).end())],
    [
      "sessions.end(id)",
      async (req: Request, sessions: LiveSessions) => void (await sessions.end(req.sessionID)),
    ],
    [
      "destroy, and a save of the object that is left",
      (req: Request) => {
        const { session } = req;
        return new Promise<void>((resolve) => session.destroy(() => session.save(() => resolve())));
      },
    ],
    [
      "destroy during an update",
      async (req: Request, sessions: LiveSessions) => {
        const update = sessions.of(req).update(async (s) => {
          await new Promise((resolve) => setImmediate(resolve));
          s.n = 1;
        });
        const { session } = req;
        await new Promise((resolve) => session.destroy(resolve));
        await update.catch(() => {});
      },
    ],
  ])("%s: it is not stored by the save at the end of the response", async (_name, end) => {
    world = await startWorld({
      store: store.open(),
      routes: (app, sessions) => {
        app.post("/denied", async (req, res) => {
          req.session.userId = "ada";
          await end(req, sessions);
          res.send("denied");
        });
      },
    });
    const visitor = world.browser();
    await visitor.post("/denied");
    expect((await sessionOf(visitor)).data).toEqual({});
    expect(await countOf(world)).toBe(0);
  });

  test("an id that genid gives again after an end is a new session", async () => {
    world = await startWorld({ store: store.open(), genid: () => "the same again" });
    const ada = await world.visitor({ name: "ada" });
    await ada.post("/logout");
    await ada.post("/login", { name: "eve" });
    expect((await sessionOf(ada)).data).toEqual({ name: "eve" });
    expect(await ada.post("/update")).toBe("1");
    await ada.post("/regenerate");
    expect(await ada.post("/update")).toBe("1");
  });
});

describeStores("copies of what the store gave", ({ store }) => {
  test("set again after an end, here or elsewhere, store nothing", async () => {
    const shared = store.open();
    world = await startWorld({ store: shared });
    const elsewhere = liveSessions({ store: shared, secret });
    const facade = world.sessions.store();
    for (const end of [(id: string) => world.sessions.end(id), (id: string) => elsewhere.end(id)]) {
      const ada = await world.visitor({ name: "ada" });
      const { id } = await sessionOf(ada);
      const loaded = await new Promise<SessionData>((resolve) => {
        facade.get(id, (_error, data) => resolve(data as SessionData));
      });
      await end(id);
      const error = await new Promise((resolve) => facade.set(id, { ...loaded, n: 1 }, resolve));
      expect(error).toMatchObject({ code: "SESSION_ENDED" });
      expect(await countOf(world)).toBe(0);
    }
    if (store.feed) await elsewhere.close();
  });

  test("set twice while a logout is under way do not undo it", async () => {
    world = await startWorld({ store: store.open() });
    const facade = world.sessions.store();
    for (let i = 0; i < 20; i++) {
      const ada = await world.visitor({ name: "ada" });
      const { id } = await sessionOf(ada);
      const copies = new Promise<void>((resolve) => {
        facade.get(id, (_error, data) => {
          facade.set(id, JSON.parse(JSON.stringify({ ...data, n: 1 })), () => {});
          facade.set(id, JSON.parse(JSON.stringify({ ...data, m: 1 })), () => resolve());
        });
      });
      await Promise.all([ada.post("/logout"), copies]);
      expect(await countOf(world)).toBe(0);
    }
  });
});

describeStores("a life of nothing", ({ store }) => {
  const lives = [
    ["maxAge of 0", () => ({ maxAge: 0 })],
    ["expires in the past", () => ({ expires: new Date(Date.now() - 1000) })],
  ] as const;

  test("ends the session, by a maxAge of 0 and by expires in the past", async () => {
    world = await startWorld({
      store: store.open(),
      routes(app) {
        for (const [name, life] of lives)
          app.post(`/${encodeURIComponent(name)}`, (req, res) => {
            Object.assign(req.session.cookie, life());
            res.send("over");
          });
      },
    });
    // At the same time: what both wait for is real time.
    await Promise.all(
      lives.map(async ([name]) => {
        const ada = await world.visitor({ name: "ada" });
        const old = ada.cookie;
        const socket = await ada.connect("/", { reconnection: false });
        const gone = disconnected(socket);
        expect(await ada.post(`/${encodeURIComponent(name)}`)).toBe("over");
        await gone;
        ada.cookie = old;
        expect((await sessionOf(ada)).data, name).toEqual({});
      }),
    );
  });
});

function countOf({ sessions }: World): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    sessions.store().length?.((error, count) => (error ? reject(error) : resolve(count)));
  });
}
