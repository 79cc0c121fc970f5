import express, { type Express, type Request } from "express";
import express4 from "express4";
import passport from "passport";
import type { Socket } from "socket.io-client";
import { afterEach, describe, expect, test } from "vitest";
import { disconnected, refused } from "../support/browser.ts";
import { connectEverywhere } from "../support/ends.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { describeEverywhere, describeKinds } from "../support/matrix.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

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

class NameStrategy extends passport.Strategy {
  override name = "name";
  override authenticate(req: Request): void {
    this.success({ id: req.body.user });
  }
}

function passportRoutes(app: Express): void {
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

    test("logIn and logOut end the old session and its sockets; userId follows", async () => {
      await start();
      const visitor = await world.visitor({ name: "guest" });
      const before = visitor.cookie;
      const socket: Socket = await visitor.connect("/");
      expect(await socket.emitWithAck("user")).toBeNull();
      const gone = disconnected(socket);
      expect(JSON.parse(await visitor.post("/passport/login", { user: "ada" }))).toEqual({
        user: { id: "ada" },
      });
      expect(visitor.cookie).not.toBe(before);
      expect(await gone).not.toBe("io server disconnect");
      await expect.poll(() => socket.connected).toBe(true);
      expect(await socket.emitWithAck("user")).toBe("ada");

      const loggedIn = visitor.cookie;
      const all = await connectEverywhere(world, visitor, ["websocket"]);
      await visitor.post("/passport/logout");
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
