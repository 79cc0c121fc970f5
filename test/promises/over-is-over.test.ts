import { afterEach, describe, expect, test } from "vitest";
import { disconnected, refused } from "../support/browser.ts";
import { connectEverywhere } from "../support/ends.ts";
import { installHandlers, namespaces, serverSockets } from "../support/handlers.ts";
import { settle } from "../support/manual-clock.ts";
import { describeEverywhere, describeStores, storeKinds, transportKinds } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

const sessionOf = async (browser: { get(path: string): Promise<string> }) =>
  JSON.parse(await browser.get("/session"));

describe.each(storeKinds)("an end closes every socket of its session and no other, over $name", (store) => {
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
