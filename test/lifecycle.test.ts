import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { Snapshot } from "../src/data/snapshot.ts";
import { Lifecycle } from "../src/lifecycle.ts";
import { resolveOptions } from "../src/options/options.ts";
import { type Browser, refused } from "./support/browser.ts";
import { installHandlers } from "./support/handlers.ts";
import { followLifecycle } from "./support/lifecycle.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { describeEverywhere } from "./support/matrix.ts";
import { secret, startWorld, type World, type WorldOptions } from "./support/world.ts";

let world: World;
let other: World | undefined;
afterEach(async () => {
  await other?.close();
  other = undefined;
  await world?.close();
});

const options: WorldOptions = {
  userId: (data) => data.userId,
  sockets: (io) =>
    installHandlers(io, (socket) => {
      socket.on("become", async (userId, done) => {
        await socket.session.update((s) => void Object.assign(s, { userId }));
        done();
      });
    }),
  routes: (app, sessions) => {
    app.post("/in", async (req, res) => {
      await sessions.login(req, req.body);
      res.send("in");
    });
    app.post("/out", async (req, res) => {
      await sessions.logout(req, res);
      res.send("out");
    });
    app.use("/page", sessions.routes());
    app.post("/end", async (req, res) => {
      await sessions.of(req).end();
      res.send("out");
    });
  },
};

async function start(more: WorldOptions = {}) {
  world = await startWorld({ ...options, ...more });
  return followLifecycle(world.sessions);
}

const local = /^(::ffff:)?127\.0\.0\.1$/;
const publicIdOf = async (user: string) => (await world.sessions.user(user).list())[0]?.publicId;

describe("created, and login", () => {
  test("are reported once the session is stored, with its names, its user and the client's address", async () => {
    const { events } = await start();
    const before = Date.now();
    const ada = await world.visitor({ userId: "ada" });
    const about = {
      publicId: await publicIdOf("ada"),
      userId: "ada",
      by: "request",
      at: expect.any(Number),
      address: expect.stringMatching(local),
    };
    expect(events).toEqual([
      { type: "created", ...about },
      { type: "login", ...about },
    ]);
    for (const event of events) expect(event.at).toBeGreaterThanOrEqual(before);
    expect(events.every(Object.isFrozen)).toBe(true);
    await ada.post("/write", { name: "ada", userId: "ada" });
    expect(events).toHaveLength(2);
  });

  test("a session without a user is created only; what gives it one, in a request or a socket, is a login", async () => {
    const { brief } = await start();
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect();
    expect(brief()).toEqual(["created by request, undefined"]);
    await ada.post("/write", { userId: "ada" });
    await ada.post("/write", { name: "lovelace" });
    expect(brief()).toEqual(["login by request, ada"]);
    await socket.emitWithAck("become", "eve");
    await socket.emitWithAck("increment");
    expect(brief()).toEqual(["login by socket, eve"]);
  });

  test("a guest's session is created by the first write of a socket", async () => {
    const { events } = await start({ guests: "create" });
    const socket = await world.browser().connect();
    expect(events).toEqual([]);
    await socket.emitWithAck("become", "ada");
    const about = { userId: "ada", by: "socket", address: expect.stringMatching(local) };
    expect(events).toMatchObject([
      { type: "created", ...about },
      { type: "login", ...about },
    ]);
  });

  test.each([
    ["with the `userId` option", "ada"],
    ["without the `userId` option", undefined],
  ])("sessions.login() is one login, %s", async (_name, user) => {
    const { userId: _userId, ...others } = options;
    world = await startWorld(user === undefined ? others : options);
    const { brief } = followLifecycle(world.sessions);
    const ada = await world.visitor({ name: "guest" });
    brief();
    await ada.post("/in", { userId: "ada" });
    expect(brief()).toEqual([
      "ended replaced by request, undefined",
      `created by request, ${user}`,
      `login by request, ${user}`,
    ]);
  });

  test("behind a trusted proxy the address is the one that it gives", async () => {
    const { events } = await start({ proxy: true });
    const headers = { "x-forwarded-for": "9.9.9.9, 1.1.1.1", "content-type": "application/json" };
    await world.browser().request("/login", { method: "POST", headers, body: '{"userId":"ada"}' });
    expect(events.map(({ address }) => address)).toEqual(["1.1.1.1", "1.1.1.1"]);
  });
});

describe("renewed", () => {
  test("is what a page asks for by POST /renew, and nothing else that extends a session", async () => {
    const { events, brief } = await start({ touchIntervalMs: 0, cookie: { maxAge: 3_600_000 } });
    const ada = await world.visitor({ userId: "ada" });
    const publicId = await publicIdOf("ada");
    await ada.connect();
    await ada.get("/session");
    await ada.get("/page/state");
    brief();
    await ada.post("/page/renew");
    expect(events).toMatchObject([{ publicId, address: expect.stringMatching(local) }]);
    expect(brief()).toEqual(["renewed by request, ada"]);
    await world.browser().post("/page/renew");
    expect(brief()).toEqual(["refused SESSION_REQUIRED"]);
  });
});

describe("ended", () => {
  test.each([
    ["/logout", "ended destroyed by request, undefined"], // `destroy` is given an id, and no request
    ["/out", "ended destroyed by request, ada"],
    ["/end", "ended destroyed by request, ada"],
  ])("by a request to %s of a session without sockets", async (path, ended) => {
    const { events, brief } = await start();
    const ada = await world.visitor({ userId: "ada" });
    events.splice(0);
    await ada.post(path);
    if (path !== "/logout") expect(events[0]?.address).toMatch(local);
    expect(brief()).toEqual([ended]);
    await ada.post(path);
    expect(brief()).toEqual([]);
  });

  test.each([
    ["a request", async (ada: Browser) => void (await ada.post("/logout")), "destroyed by request"],
    [
      "a socket",
      async (ada: Browser) => void (await ada.connect("/")).emit("end", () => {}),
      "destroyed by socket",
    ],
    [
      "sessions.end()",
      async (ada: Browser) => {
        await world.sessions.end(JSON.parse(await ada.get("/session")).id);
      },
      "revoked by application",
    ],
    ["user(id).end()", async () => void (await world.sessions.user("ada").end()), "revoked by application"],
  ])("by %s: once, with the user, whatever the number of sockets", async (_name, end, by) => {
    const { events, brief } = await start();
    const ada = await world.visitor({ userId: "ada" });
    await Promise.all([ada.connect("/"), ada.connect("/admin")]);
    const { publicId } = events.splice(0)[0] as { publicId: string };
    await end(ada);
    await expect.poll(() => events).toMatchObject([{ type: "ended", publicId }]);
    expect(brief()).toEqual([`ended ${by}, ada`]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ["user(id).end()", () => world.sessions.user("ada").end()],
    ["endAll()", () => world.sessions.endAll()],
  ])("%s names the user of a session that is not live, too", async (_name, end) => {
    const { brief } = await start();
    await world.visitor({ userId: "ada" });
    brief();
    await end();
    expect(brief()).toEqual(["ended revoked by application, ada"]);
  });

  test("by time, on each node where it was live", async () => {
    const clock = new ManualClock();
    const shared = { ...options, store: memoryStore({ clock }), clock, cookie: { maxAge: 3_600_000 } };
    const { brief } = await start(shared);
    other = await startWorld(shared);
    const there = followLifecycle(other.sessions);
    const ada = await world.visitor({ userId: "ada" });
    const elsewhere = other.browser();
    elsewhere.cookie = ada.cookie;
    await Promise.all([ada.connect(), elsewhere.connect()]);
    brief();
    await clock.advance(3_601_000);
    expect(brief()).toEqual(["ended expired by time, ada"]);
    expect(there.brief()).toEqual(["ended expired by time, ada"]);
  });

  test("is not what a node says of a session that it can't verify", async () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    const { brief } = await start({ store, clock, cookie: { maxAge: 3_600_000 } });
    const ends: unknown[] = [];
    world.sessions.on("end", ({ reason }) => ends.push(reason));
    const ada = await world.visitor({ userId: "ada" });
    await ada.connect("/", { reconnection: false }); // it would be refused
    brief();
    store.read = () => Promise.reject(new Error("down"));
    await clock.advance(2 * 3_600_000);
    expect(ends).toEqual(["unverified"]);
    expect(brief()).toEqual([]);
  });
});

describeEverywhere("a session on two nodes", ({ store, transports, namespace }) => {
  test("is created, gets its user and ends once; the node that learns of the end says so", async () => {
    const shared = { ...options, store: store.open(), revalidateIntervalMs: 500, staleMs: 60_000 };
    const here = await start(shared);
    other = await startWorld(shared);
    const there = followLifecycle(other.sessions);
    const ada = await world.visitor({ name: "guest" });
    await ada.post("/in", { userId: "ada" });
    const elsewhere = other.browser();
    elsewhere.cookie = ada.cookie;
    await ada.connect(namespace, { transports });
    await elsewhere.connect(namespace, { transports });
    expect(here.brief()).toEqual([
      "created by request, undefined",
      "ended replaced by request, undefined",
      "created by request, ada",
      "login by request, ada",
    ]);
    await ada.post("/out");
    expect(here.brief()).toEqual(["ended destroyed by request, ada"]);
    await expect.poll(there.brief).toEqual(["ended destroyed by elsewhere, ada"]);
    await elsewhere.post("/out");
    expect([here.brief(), there.brief()]).toEqual([[], []]);
  });
});

describe("refused", () => {
  test("has the code and the address", async () => {
    const { events } = await start();
    await refused(world.browser().socket());
    expect(events).toEqual([
      {
        type: "refused",
        code: "SESSION_REQUIRED",
        at: expect.any(Number),
        address: expect.stringMatching(local),
      },
    ]);
  });
});

describe("the stream", () => {
  const name = "socket-session:lifecycle";

  test("is a diagnostics channel as well, with the same objects, with or without a listener", async () => {
    const published: unknown[] = [];
    const subscriber = (event: unknown) => void published.push(event);
    subscribe(name, subscriber);
    onTestFinished(() => void unsubscribe(name, subscriber));
    world = await startWorld(options);
    await world.visitor({ userId: "ada" });
    expect(published).toMatchObject([{ type: "created" }, { type: "login", by: "request" }]);
    const { events } = followLifecycle(world.sessions);
    await world.visitor({ userId: "eve" });
    expect(events).toHaveLength(2);
    for (const [index, event] of events.entries()) expect(published[2 + index]).toBe(event);
  });

  test("a listener that throws is reported, and harms neither the others nor what was under way", async () => {
    world = await startWorld(options);
    world.sessions.on("lifecycle", () => {
      throw new Error("thrown");
    });
    const { brief } = followLifecycle(world.sessions);
    const ada = await world.visitor({ userId: "ada" });
    expect(brief()).toEqual(["created by request, ada", "login by request, ada"]);
    expect(world.errors).toMatchObject(
      Array(2).fill({ code: "LISTENER_FAILED", cause: new Error("thrown") }),
    );
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ userId: "ada" });
  });

  test("costs nothing while there is neither a listener nor a subscriber: nothing is made or asked", async () => {
    const asked: string[] = [];
    let isListening = false;
    const lifecycle = new Lifecycle(
      resolveOptions({ store: memoryStore(), secret }),
      () => void asked.push("user"),
      { hasListeners: () => isListening, emit: ({ type }) => asked.push(type) },
    );
    const read = new Set<string>(); // to hash an id and to parse the data takes time
    const key = {
      sid: "a",
      publicIds: ["A"],
      get publicId() {
        return String(read.add("publicId") && "A");
      },
    };
    const snapshot = new Snapshot({ fields: new Map(), cookie: {} }, 1, 1);
    Object.defineProperty(snapshot, "data", { get: () => read.add("data") && {} });
    const request = Object.defineProperty({ headers: {} } as never, "originalUrl", {
      get: () => String(read.add("url") && "/edit"),
    });
    const all = () =>
      lifecycle.actors.run({ by: "socket" }, () => {
        lifecycle.stored(key, snapshot, undefined);
        lifecycle.loggedIn("A", { headers: {} });
        lifecycle.renewed(key, request);
        lifecycle.ended(key, { reason: "destroyed" }, snapshot);
        lifecycle.refused("SESSION_REQUIRED", undefined);
        lifecycle.forbidden("NO_EDITOR", key, {}, { request });
        return lifecycle.actors.current.by;
      });
    expect([all(), asked, [...read]]).toEqual(["application", [], []]);
    isListening = true;
    expect([all(), asked]).toEqual([
      "socket",
      ["user", "created", "login", "renewed", "user", "ended", "refused", "user", "forbidden"],
    ]);
    await lifecycle.actors.run({ by: "socket" }, async () => {});
    world = await startWorld();
  });
});
