/** An application on connect-mongo beside one on this store, on one collection, with live sockets attached. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import MongoStore from "connect-mongo";
import express from "express";
import session from "express-session";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { mongodbStore } from "../../../src/stores/mongodb/store.ts";
import { withService } from "../../setup/services.ts";
import { Browser, disconnected } from "../../support/browser.ts";
import { installHandlers } from "../../support/handlers.ts";
import { sessionRoutes } from "../../support/session-routes.ts";
import { secret, startWorld, type World } from "../../support/world.ts";
import { databaseOfTest, type TestDatabase } from "./databases.ts";

const HOUR = 3_600_000;
const patience = { timeout: 10_000 };

const standalone = withService("mongodb");
const replicaSet = withService("mongodb-replica");

describe.each([true, false])("mongodbStore as a neighbour, stringify: %s", (stringify) => {
  let database: TestDatabase;
  let own: World;
  let theirs: Browser;
  let ada: Browser;

  async function startPeer(): Promise<string> {
    const app = express();
    app.use(express.json());
    const store = MongoStore.create({ client: database.client, dbName: database.name, stringify });
    app.use(session({ secret, name: "sid", resave: false, saveUninitialized: false, store }));
    sessionRoutes(app);
    app.get("/session", (req, res) => {
      const { cookie: _cookie, ...data } = req.session;
      res.json(data);
    });
    app.post("/logout", (req, res) => req.session.destroy(() => res.send("out")));
    const http = createServer(app);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      http.closeAllConnections();
      http.close();
    });
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  }

  async function start(url: string): Promise<void> {
    database = await databaseOfTest(url);
    own = await startWorld({
      store: mongodbStore({ client: database.client, dbName: database.name, stringify }),
      revalidateIntervalMs: HOUR,
      userId: ({ name }) => name,
      sockets: (io) => installHandlers(io),
    });
    onTestFinished(() => own.close());
    theirs = new Browser(await startPeer());
    ada = own.browser();
  }

  /** Logged in by the application of connect-mongo, with a socket of ours. */
  async function loggedInThere() {
    await theirs.post("/login", { name: "ada" });
    ada.cookie = theirs.cookie;
    const socket = await ada.connect("/");
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    return socket;
  }

  replicaSet.describe("on a replica set", () => {
    beforeEach(() => start(replicaSet.url));

    it("notices at once what the other writes and ends", async () => {
      await expect.poll(() => own.sessions.stats().store.feed, patience).toBe("whole");
      const socket = await loggedInThere();
      await theirs.post("/write", { n: 4 });
      await expect.poll(() => socket.emitWithAck("read"), patience).toEqual({ name: "ada", n: 4 });
      expect(await socket.emitWithAck("increment")).toBe(5);
      expect(JSON.parse(await theirs.get("/session"))).toEqual({ name: "ada", n: 5 });
      const gone = disconnected(socket);
      await theirs.post("/logout");
      expect(await gone).toBe("io server disconnect");
      expect(JSON.parse(await ada.get("/session")).data).toEqual({});
    });

    it("has a session that it replaced ended for the sockets of the other's login", async () => {
      const socket = await loggedInThere();
      const gone = disconnected(socket);
      await theirs.post("/login", { name: "eve" });
      await gone;
      expect(JSON.parse(await theirs.get("/session"))).toEqual({ name: "eve" });
    });
  });

  standalone.describe("on a standalone server", () => {
    beforeEach(() => start(standalone.url));

    it("shares logins, writes and logouts, seen by the next request", async () => {
      const socket = await loggedInThere();
      await theirs.post("/write", { n: 1 });
      expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", n: 1 });
      await expect.poll(() => socket.emitWithAck("read"), patience).toEqual({ name: "ada", n: 1 });
      const gone = disconnected(socket);
      await theirs.post("/logout");
      expect(await socket.emitWithAck("state"), "nobody told").toBe("live");
      await ada.get("/session");
      expect(await gone).toBe("io server disconnect");
    });

    it("loses no update to the other's write, though nobody told the socket of it", async () => {
      const socket = await loggedInThere();
      await theirs.post("/write", { n: 7 });
      expect(await socket.emitWithAck("increment")).toBe(8);
      expect(JSON.parse(await theirs.get("/session"))).toEqual({ name: "ada", n: 8 });
      await ada.post("/logout");
      expect(JSON.parse(await theirs.get("/session"))).toEqual({});
    });
  });
});
