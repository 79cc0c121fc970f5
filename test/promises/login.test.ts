import express, { type Express, type Request } from "express";
import express4 from "express4";
import passport from "passport";
import type { Socket } from "socket.io-client";
import type { LiveSessions } from "socket-session";
import { afterEach, describe, expect, test } from "vitest";
import { Browser, disconnected, refused } from "../support/browser.ts";
import { connectEverywhere } from "../support/ends.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { describeEverywhere, describeKinds, type StoreKind } from "../support/matrix.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await world.close();
});

describeEverywhere("a stock client through a login", ({ store, transports, namespace }) => {
  test("never shows the new identity on the old connection, and reconnects with the new cookie on its own", async () => {
    const served: [connection: string, name: string | undefined][] = [];
    let respond = () => {};
    let regenerated = Promise.withResolvers<void>();
    world = await startWorld({
      store: store.open(),
      rebindMs: 600_000, // it is the response that counts
      routes: (app) => {
        app.post("/slow-login", (req, res) => {
          req.session.regenerate(() => {
            req.session.name = "eve";
            req.session.save(() => {
              respond = () => void res.send("in");
              regenerated.resolve();
            });
          });
        });
      },
      sockets: (io) =>
        installHandlers(io, (socket) => {
          socket.onAny(() => served.push([socket.conn.remoteAddress + socket.id, socket.session.data.name]));
        }),
    });
    const visitor = await world.visitor({ name: "nobody yet" });
    const socket = await visitor.connect(namespace, { transports });
    await upgraded(socket);
    expect(await socket.emitWithAck("read")).toEqual({ name: "nobody yet" });
    const [old] = serverSockets(world.io);
    const received: unknown[] = [];
    socket.onAny((...event) => received.push(event));
    const gone = disconnected(socket);
    const login = visitor.post("/slow-login");
    await regenerated.promise;

    // between the new id and the response: nothing goes in or out
    expect(old?.session.state).toBe("ended");
    expect(old?.session.data).toEqual({ name: "nobody yet" });
    world.io.of(namespace).emit("secret of the new session", 1);
    old?.emit("to the old socket", 2);
    socket.emit("read", () => received.push("an acknowledgement"));
    expect(socket.connected).toBe(true);

    respond();
    await login;
    expect(await gone).not.toBe("io server disconnect");
    await expect.poll(() => socket.connected).toBe(true);
    expect(await socket.emitWithAck("read")).toEqual({ name: "eve" });
    expect(received.filter((event) => event !== "an acknowledgement")).toEqual([]);
    const names = new Map(served);
    expect([...names.values()]).toEqual(["nobody yet", "eve"]);
    expect(new Set(served.map(String)).size).toBe(2); // each socket has only ever seen its one session
    regenerated = Promise.withResolvers();
  });

  test("closes the old connection after rebindMs if the response never goes out", async () => {
    world = await startWorld({
      store: store.open(),
      rebindMs: 50,
      routes: (app) => app.post("/hanging-login", (req) => req.session.regenerate(() => {})),
      sockets: (io) => installHandlers(io),
    });
    const visitor = await world.visitor();
    const socket = await visitor.connect(namespace, { transports, reconnection: false });
    const gone = disconnected(socket);
    const hanging = visitor.post("/hanging-login").catch(() => {}); // cut when the server closes
    expect(await gone).not.toBe("io server disconnect");
    world.http.closeAllConnections();
    await hanging;
  });

  test("a client with a socket of the old id, a planted one, does not come back with the new session", async () => {
    world = await startWorld({ store: store.open(), sockets: (io) => installHandlers(io) });
    const victim = await world.visitor({ name: "planted" });
    const attacker = world.browser();
    attacker.cookie = victim.cookie;
    const socket = await attacker.connect(namespace, { transports });
    const refusal = refused(socket);
    await victim.post("/login", { name: "victim" });
    expect((await refusal).data).toEqual({ code: "SESSION_ENDED" });
    expect(socket.active).toBe(false);
    expect(serverSockets(world.io)).toEqual([]);
  });
});

/** Two nodes over one store. `/new-login` sends a secret to all sockets of its node between the login and the answer. */
async function startTwo(store: StoreKind): Promise<{ second: World; visitorAt: (world: World) => Browser }> {
  const shared = store.open();
  const browsers: Browser[] = [];
  const options: WorldOptions = {
    store: shared,
    rebindMs: 50,
    revalidateIntervalMs: store.feed ? 30_000 : 50,
    routes: (app, sessions) => {
      app.post("/new-login", async (req, res) => {
        await sessions.login(req, req.body);
        for (const socket of serverSockets(world.io)) socket.emit("secret");
        res.send("in");
      });
      app.post("/new-logout", async (req, res) => void res.json(await sessions.logout(req, res)));
    },
    sockets: (io) => installHandlers(io),
  };
  world = await startWorld(options);
  const second = await startWorld(options);
  // an end that falls into the opening of the feed is found by a read, which can't tell a login from a logout
  if (store.feed)
    for (const { sessions } of [world, second])
      await expect.poll(() => sessions.stats().store.feed).toBe("whole");
  closing.push(() => {
    for (const browser of browsers) browser.close();
    return second.close();
  });
  const visitor = await world.visitor({ name: "guest" });
  return {
    second,
    visitorAt: ({ url }) => {
      const browser = visitor.at(url);
      browsers.push(browser);
      return browser;
    },
  };
}

describeEverywhere("sessions.login", ({ store, transports, namespace }) => {
  test("silences the sockets of the old session on two nodes; with the new cookie, clients are let in on both", async () => {
    const { second, visitorAt } = await startTwo(store);
    const visitors = [visitorAt(world), visitorAt(second)];
    const [visitor] = visitors;
    const before = visitor?.cookie ?? "";
    const sockets = await Promise.all(visitors.map((one) => one.connect(namespace, { transports })));
    await Promise.all(sockets.map(upgraded));
    const old = [world, second].flatMap(({ io }) => serverSockets(io));
    const received: unknown[] = [];
    for (const socket of sockets) socket.onAny((...event) => received.push(event));
    const gone = Promise.all(sockets.map(disconnected));
    expect(await visitor?.post("/new-login", { name: "eve" })).toBe("in");
    expect(old[0]?.session.state).toBe("ended");

    for (const one of visitors) {
      const page = await one.connect(namespace, { transports, forceNew: true });
      expect(await page.emitWithAck("read")).toEqual({ name: "eve" });
    }
    const reasons = await gone;
    expect(reasons[0]).not.toBe("io server disconnect");
    if (store.feed) expect(reasons[1]).not.toBe("io server disconnect");
    else sockets[1]?.connect(); // without a feed it looks like a logout
    for (const socket of sockets) {
      await expect.poll(() => socket.connected).toBe(true);
      expect(await socket.emitWithAck("read")).toEqual({ name: "eve" });
    }
    expect(received).toEqual(store.feed ? [] : [["session:end", { reason: "destroyed" }]]);
    for (const { session } of old) {
      expect(session.state).toBe("ended");
      expect(session.data).toEqual({ name: "guest" });
    }
    for (const { url } of [world, second]) {
      const attacker = new Browser(url);
      attacker.cookie = before;
      expect((await refused(attacker.socket(namespace, { transports }))).data).toEqual({
        code: "SESSION_ENDED",
      });
      attacker.close();
    }
  });
});

describeEverywhere("sessions.logout", ({ store, transports }) => {
  test("closes all sockets of the session on two nodes, and the browser has no cookie left", async () => {
    const { second, visitorAt } = await startTwo(store);
    const visitor = visitorAt(world);
    const { cookie } = visitor;
    const all = [
      await connectEverywhere(world, visitor, transports),
      await connectEverywhere(second, visitorAt(second), transports),
    ];
    const others = await world.visitor({ name: "eve" });
    const other = await others.connect("/", { transports });
    expect(await visitor.post("/new-logout")).toBe("true");
    expect(visitor.cookie).toBe("");
    for (const { ends, told, clients } of all) {
      expect(await ends).toEqual(clients.map(() => "io server disconnect"));
      expect(told).toEqual(clients.map(() => ({ reason: "destroyed" })));
      expect(clients.map(({ active }) => active)).toEqual(clients.map(() => false));
    }
    expect(await other.emitWithAck("read")).toEqual({ name: "eve" });
    for (const node of [world, second]) {
      const page = visitorAt(node);
      expect((await refused(page.socket("/", { transports }))).data).toEqual({ code: "SESSION_REQUIRED" });
      const thief = new Browser(node.url);
      thief.cookie = cookie;
      expect((await refused(thief.socket("/", { transports }))).data).toEqual({ code: "SESSION_ENDED" });
      expect(JSON.parse(await thief.get("/session")).data).toEqual({});
      thief.close();
    }
  });
});

class NameStrategy extends passport.Strategy {
  override name = "name";
  override authenticate(req: Request): void {
    this.success({ id: req.body.user });
  }
}

function passportRoutes(app: Express, sessions: LiveSessions): void {
  const authenticator = new passport.Passport();
  authenticator.use(new NameStrategy());
  authenticator.serializeUser((user, done) => done(null, (user as { id: string }).id));
  authenticator.deserializeUser((id: string, done) => done(null, { id }));
  app.use(authenticator.session());
  app.post("/passport/login", authenticator.authenticate("name"), (req, res) => {
    res.json({ user: req.user });
  });
  app.post("/passport/logout", (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.send("out")));
  });
  app.post("/new/login", authenticator.authenticate("name", { session: false }), (req, res, next) => {
    const { id } = req.user as { id: string };
    sessions.login(req, { passport: { user: id } }).then(() => res.json({ user: req.user }), next);
  });
  app.post("/new/logout", (req, res, next) => {
    sessions.logout(req, res).then(() => res.send("out"), next);
  });
  app.get("/passport/user", (req, res) => {
    res.json({ user: req.user ?? null });
  });
}

describe.each([
  ["5", express],
  ["4", express4],
])("Passport 0.7 on Express %s", (_version, framework) => {
  describeKinds("a login", (store) => {
    async function start() {
      world = await startWorld({
        framework,
        store: store.open(),
        routes: passportRoutes,
        userId: (data) => data.passport?.user,
        sockets: (io) =>
          installHandlers(io, (socket) => socket.on("user", (done) => done(socket.session.userId ?? null))),
      });
    }

    test.each([
      ["logIn and logOut", "/passport"],
      ["sessions.login and sessions.logout", "/new"],
    ])("%s end the old session and its sockets; userId follows", async (_name, path) => {
      await start();
      const visitor = await world.visitor({ name: "guest" });
      const before = visitor.cookie;
      const socket: Socket = await visitor.connect("/");
      expect(await socket.emitWithAck("user")).toBeNull();
      const gone = disconnected(socket);
      expect(JSON.parse(await visitor.post(`${path}/login`, { user: "ada" }))).toEqual({
        user: { id: "ada" },
      });
      expect(visitor.cookie).not.toBe(before);
      expect(await gone).not.toBe("io server disconnect");
      await expect.poll(() => socket.connected).toBe(true);
      expect(await socket.emitWithAck("user")).toBe("ada");

      const loggedIn = visitor.cookie;
      const all = await connectEverywhere(world, visitor, ["websocket"]);
      expect(await visitor.post(`${path}/logout`)).toBe("out");
      await all.ends;
      expect(JSON.parse(await visitor.get("/passport/user"))).toEqual({ user: null });
      const thief = world.browser();
      thief.cookie = loggedIn;
      expect(JSON.parse(await thief.get("/passport/user"))).toEqual({ user: null });
      thief.cookie = loggedIn;
      expect((await refused(thief.socket())).data).toEqual({ code: "SESSION_ENDED" });
      for (const client of all.clients) client.disconnect();
      expect(world.errors).toEqual([]);
    });
  });
});
