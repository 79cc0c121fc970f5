/** An application of plain express-session and connect-redis beside one of ours, over the same Redis. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { RedisStore as RedisStore10 } from "connect-redis";
import { RedisStore as RedisStore9 } from "connect-redis9";
import express from "express";
import session from "express-session";
import type { Socket } from "socket.io-client";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { redisStore } from "../../../src/stores/redis/store.ts";
import { withService } from "../../setup/services.ts";
import { Browser, disconnected } from "../../support/browser.ts";
import { installHandlers } from "../../support/handlers.ts";
import type { ClientPackage } from "../../support/redis-clients.ts";
import { sessionRoutes } from "../../support/session-routes.ts";
import { secret, startWorld, type World } from "../../support/world.ts";
import { clientForTest, newPrefix, rawClient } from "./clients.ts";
import { ownRedis } from "./server.ts";

const packages: ClientPackage[] = ["redis", "ioredis"];
const peers = [
  { version: 9, RedisStore: RedisStore9 },
  { version: 10, RedisStore: RedisStore10 },
];
const cases = peers.flatMap((peer) => packages.map((from) => ({ ...peer, from })));

withService("redis").describe.each([
  { events: "with keyspace events", flags: "Kg$x", atOnce: true },
  { events: "without keyspace events", flags: "", atOnce: false },
])("beside connect-redis, $events", ({ flags, atOnce }) => {
  const server = ownRedis(() => ["--notify-keyspace-events", flags]);

  describe.each(cases)("$version, ours by $from", ({ RedisStore, from }) => {
    let ours: World;
    let theirs: Browser;
    let ada: Browser;
    let socket: Socket;
    let prefix: string;

    beforeEach(async () => {
      prefix = newPrefix();
      const client = await clientForTest("redis", server.url);
      theirs = new Browser(await neighbour(new RedisStore({ client, prefix })));
      ours = await startWorld({
        store: redisStore({ client: await clientForTest(from, server.url), prefix }),
        sockets: (io) => installHandlers(io),
      });
      onTestFinished(() => ours.close());
      await expect.poll(() => ours.sessions.stats().store.feed).toBe("whole");
      await theirs.post("/login", { name: "ada" });
      ada = ours.browser();
      ada.cookie = theirs.cookie;
      socket = await ada.connect("/", { reconnection: false });
    });

    it("sees what it wrote, and is seen", async () => {
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
      await socket.emitWithAck("increment");
      expect(JSON.parse(await theirs.get("/session"))).toEqual({ name: "ada", n: 1 });
      await theirs.post("/write", { name: "lovelace" });
      if (!atOnce) {
        expect(await socket.emitWithAck("read"), "not heard of").toEqual({ name: "ada", n: 1 });
        await ada.get("/session"); // a request reads, and the sockets profit
      }
      await expect.poll(() => socket.emitWithAck("read")).toEqual({ name: "lovelace", n: 1 });
      await theirs.post("/write", { name: "byron" });
      expect(await socket.emitWithAck("increment"), "on top of what is stored").toBe(2);
      await expect.poll(() => socket.emitWithAck("read")).toEqual({ name: "byron", n: 2 });
      expect(JSON.parse(await theirs.get("/session"))).toEqual({ name: "byron", n: 2 });
    });

    it("ends with its logout", async () => {
      const gone = disconnected(socket);
      await theirs.post("/logout");
      if (!atOnce) {
        expect(socket.connected, "not heard of").toBe(true);
        await ada.get("/session");
      }
      expect(await gone).toBe("io server disconnect");
      expect(JSON.parse(await ada.get("/session")).data).toEqual({});
    });

    it("ends when the other's session is over", async () => {
      const gone = disconnected(socket);
      const raw = rawClient(server.url);
      const [key = ""] = await raw.keys(`${prefix}*`);
      await raw.pexpire(key, 20);
      await expect.poll(() => raw.exists(key)).toBe(0);
      if (!atOnce) expect(JSON.parse(await ada.get("/session")).data).toEqual({});
      expect(await gone).toBe("io server disconnect");
    });

    it("logs the other out", async () => {
      await ada.post("/logout");
      expect(JSON.parse(await theirs.get("/session"))).toEqual({});
    });
  });
});

withService("redis").describe("beside connect-redis, without keyspace events, told of it", () => {
  const server = ownRedis();

  it.each(packages)("sees what it did by the next revalidation, %s", async (from) => {
    const prefix = newPrefix();
    const client = await clientForTest("redis", server.url);
    const theirs = new Browser(await neighbour(new RedisStore10({ client, prefix })));
    const store = redisStore({
      client: await clientForTest(from, server.url),
      prefix,
      otherWriters: true,
    });
    const ours = await startWorld({
      store,
      revalidateIntervalMs: 3000,
      sockets: (io) => installHandlers(io),
    });
    onTestFinished(() => ours.close());
    expect(store.feed).toEqual({ kind: "pub/sub", complete: false });
    await theirs.post("/login", { name: "ada" });
    const ada = ours.browser();
    ada.cookie = theirs.cookie;
    const socket = await ada.connect("/", { reconnection: false });
    await theirs.post("/write", { name: "lovelace" });
    const patient = { timeout: 15_000 };
    await expect.poll(() => socket.emitWithAck("read"), patient).toEqual({ name: "lovelace" });
    const gone = disconnected(socket);
    await theirs.post("/logout");
    expect(await gone).toBe("io server disconnect");
  });
});

/** Resolves to its URL. */
async function neighbour(store: session.Store): Promise<string> {
  const app = express();
  app.use(express.json());
  app.use(session({ store, secret, name: "sid", resave: false, saveUninitialized: false }));
  sessionRoutes(app);
  app.get("/session", (req, res) => {
    const { cookie: _cookie, ...data } = req.session;
    res.json(data);
  });
  app.post("/logout", (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.send("out")));
  });
  const http = createServer(app);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}
