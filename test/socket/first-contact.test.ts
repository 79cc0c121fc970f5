/** `guests: "create"`: whose requests a guest's connection takes, tabs that open at once, nodes, ends and failures. */
import type { ServerOptions } from "socket.io";
import type { LiveSession, SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { type Browser, connected, disconnected } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { KeepingBrowser } from "../support/keeping-browser.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawPolling } from "../support/raw-client.ts";
import { rawHandshake } from "../support/raw-handshake.ts";
import { spyStore } from "../support/spy-store.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

const worlds: World[] = [];
const browsers: Browser[] = [];
afterEach(async () => {
  for (const browser of browsers.splice(0)) browser.close();
  for (const world of worlds.splice(0)) await world.close();
});

async function start(options: WorldOptions = {}) {
  const handles: LiveSession[] = [];
  const world = await startWorld({
    guests: "create",
    sockets: (io) =>
      installHandlers(io, (socket) => {
        handles.push(socket.session);
        socket.on("id", (done) => done(socket.session.publicId));
      }),
    ...options,
  });
  worlds.push(world);
  return Object.assign(world, { handles });
}

function browse({ url }: World) {
  const browser = new KeepingBrowser(url);
  browsers.push(browser);
  return browser;
}

/** A tab by polling, with `cookie` or none, and the cookie that its handshake set. */
async function openTab({ url }: World, cookie?: string) {
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie };
  const { body, cookies } = await rawHandshake(url, "polling", headers);
  const tab = new RawPolling(url, headers);
  tab.sid = JSON.parse(body.slice(1)).sid;
  return {
    set: cookies[0]?.split(";")[0] ?? "",
    /** One poll of the connection, with this cookie. */
    async poll(given: string | undefined) {
      const { status, body: text } = await tab.send(
        "POST",
        "3",
        given === undefined ? {} : { cookie: given },
      );
      return text === "ok" ? text : `${status} ${JSON.parse(text).data.code}`;
    },
    join: () => tab.send("POST", "40"),
  };
}

/** Stores something under the id of the world's guest number `index`. */
const write = ({ handles }: { handles: LiveSession[] }, index = 0) =>
  handles[index]?.update((s) => Object.assign(s, { n: 1 }));

describe("the polls of a guest's connection", () => {
  test("carry the cookie of the handshake, or none, before and after the first write", async () => {
    const world = await start();
    const tab = await openTab(world);
    await tab.join();
    await expect.poll(() => world.handles.length).toBe(1);
    expect([await tab.poll(tab.set), await tab.poll(undefined)]).toEqual(["ok", "ok"]);
    await write(world);
    expect(world.handles[0]?.state).toBe("live");
    expect([await tab.poll(tab.set), await tab.poll(undefined)]).toEqual(["ok", "ok"]);
    expect(await tab.poll((await openTab(world)).set)).toBe("403 COOKIE_MISMATCH");
  });

  test("carry what a client without a jar has sent all along, such as the cookie of a session that is over", async () => {
    const world = await start();
    const ada = await world.visitor();
    const { cookie } = ada;
    await ada.post("/logout");
    const tab = await openTab(world, cookie);
    await tab.join();
    await expect.poll(() => world.handles.length).toBe(1);
    await write(world);
    expect(tab.set).not.toBe(cookie);
    expect([await tab.poll(cookie), await tab.poll(tab.set)]).toEqual(["ok", "ok"]);
  });

  test("carry a login: the client has to come back, and then has that session", async () => {
    const world = await start();
    const browser = browse(world);
    const socket = await browser.connect("/", { transports: ["polling"] });
    expect(await socket.emitWithAck("state")).toBe("guest");
    const back = disconnected(socket).then(() => connected(socket));
    await browser.post("/login", { name: "ada" });
    socket.emit("state", () => {}); // the next poll
    await back;
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
  });
});

describe("two tabs that open at once", () => {
  test("have two ids; the one whose cookie lost comes back for the other's, and stays", async () => {
    const world = await start();
    const [lost, won] = [await openTab(world), await openTab(world)];
    expect(lost.set).not.toBe(won.set);
    expect(await won.poll(won.set)).toBe("ok");
    expect(await lost.poll(won.set)).toBe("403 COOKIE_MISMATCH");
    const back = await openTab(world, won.set);
    expect(back.set).toBe("");
    expect([await back.poll(won.set), await won.poll(won.set)]).toEqual(["ok", "ok"]);
    await Promise.all([won.join(), back.join()]);
    await expect.poll(() => world.handles.length).toBe(2);
    await Promise.all(
      [0, 1].map((index) => world.handles[index]?.update((s) => Object.assign(s, { n: (s.n ?? 0) + 1 }))),
    );
    expect(world.handles.map(({ publicId, data }) => [publicId, data])).toEqual(
      Array(2).fill([world.handles[0]?.publicId, { n: 2 }]),
    );
  });

  test("on two nodes go on with two ids, and neither makes the other come back, until one of them is stored", async () => {
    const store = memoryStore();
    const [one, two] = [await start({ store }), await start({ store })];
    const [lost, won] = [await openTab(one), await openTab(two)];
    expect([await lost.poll(won.set), await won.poll(won.set)]).toEqual(["ok", "ok"]);
    // a page that is loaded again, on the first node: it gets an id of that node, and the others go on
    const next = await openTab(one, won.set);
    expect([next.set === "", next.set === won.set]).toEqual([false, false]);
    expect([await won.poll(next.set), await lost.poll(won.set)]).toEqual(["ok", "ok"]);
    await won.join();
    await expect.poll(() => two.handles.length).toBe(1);
    await write(two);
    expect(await lost.poll(won.set)).toBe("403 COOKIE_MISMATCH");
    const back = await openTab(one, won.set);
    expect(back.set).toBe("");
    await back.join();
    await expect.poll(() => one.handles[0]?.data).toEqual({ n: 1 });
  });

  test("by the stock client, polling: all settle in one session", async () => {
    const world = await start();
    const browser = browse(world);
    const tabs = [1, 2, 3, 4].map(() => browser.socket("/", { transports: ["polling"] }));
    const ids = new Map<unknown, string>();
    const settled = () => {
      for (const tab of tabs) tab.volatile.emit("id", (id: string) => ids.set(tab, id)); // a poll of each
      return [ids.size, new Set(ids.values()).size];
    };
    await expect.poll(settled).toEqual([4, 1]);
    await Promise.all(tabs.map((tab) => tab.emitWithAck("increment")));
    expect(await tabs[0]?.emitWithAck("read")).toEqual({ n: 4 });
  });
});

describe("requests beside a guest's socket", () => {
  test("before its first write have a session of their own, and the socket keeps its own", async () => {
    const world = await start();
    const browser = browse(world);
    const socket = await browser.connect("/", { transports: ["websocket"] });
    const { cookie } = browser;
    await browser.get("/session"); // it writes nothing, so it sets no cookie
    expect(browser.cookie).toBe(cookie);
    await browser.post("/increment");
    expect(browser.cookie).not.toBe(cookie);
    expect(await socket.emitWithAck("state")).toBe("guest");
    socket.disconnect().connect();
    await connected(socket);
    expect(await socket.emitWithAck("read")).toEqual({ m: 1 });
  });

  test("after it have its session; a login gives the browser another, and the socket comes back with that", async () => {
    const world = await start();
    const browser = browse(world);
    const socket = await browser.connect();
    await socket.emitWithAck("increment");
    const [guest] = world.handles;
    const ended = new Promise((resolve) => guest?.once("end", resolve));
    const back = disconnected(socket).then(
      () => new Promise<void>((resolve) => socket.once("connect", resolve)),
    );
    await browser.post("/login", { name: "ada" });
    expect(await ended).toBe("replaced");
    await back;
    expect(await socket.emitWithAck("read")).toMatchObject({ name: "ada" });
    await expect(write(world)).rejects.toThrow(expect.objectContaining({ code: "SESSION_ENDED" }));
  });
});

describe("a guest whose connection breaks", () => {
  test.each([true, false])(
    "is recovered if it has written something, and else new; written: %s",
    async (isStored) => {
      const world = await start({ io: { connectionStateRecovery: {} } });
      const browser = browse(world);
      const socket = await browser.connect("/", { transports: ["websocket"] });
      const { cookie } = browser;
      if (isStored) await socket.emitWithAck("increment");
      await new Promise<void>((resolve) => {
        socket.once("recover me", resolve); // with an offset to recover from
        serverSockets(world.io)[0]?.emit("recover me");
      });
      const back = disconnected(socket).then(() => connected(socket));
      socket.io.engine.close();
      await back;
      expect([socket.recovered, browser.cookie === cookie]).toEqual([isStored, isStored]);
      expect(await socket.emitWithAck("read")).toEqual(isStored ? { n: 1 } : {});
    },
  );
});

describe("an end", () => {
  test("on another node closes the guest's socket, and the id is not stored again", async () => {
    const store = memoryStore();
    const [one, two] = [await start({ store }), await start({ store })];
    const browser = browse(one);
    const socket = await browser.connect();
    await socket.emitWithAck("increment");
    const { cookie } = browser;
    const elsewhere = two.browser();
    elsewhere.cookie = cookie;
    const reason = disconnected(socket);
    await elsewhere.post("/logout");
    expect(await reason).toBe("io server disconnect");
    await expect(write(one)).rejects.toThrow(expect.objectContaining({ code: "SESSION_ENDED" }));
    socket.connect();
    await connected(socket);
    expect(browser.cookie).not.toBe(cookie);
    expect(await store.count?.()).toBe(0);
  });

  test("by its public id closes a guest of whom nothing is stored, for good", async () => {
    const world = await start();
    const ended: unknown[] = [];
    world.sessions.on("end", (end) => ended.push(end));
    const browser = browse(world);
    const socket = await browser.connect();
    const { cookie } = browser;
    const [guest] = world.handles;
    const heard: unknown[] = [];
    guest?.on("end", (reason) => heard.push(reason));
    const reason = disconnected(socket);
    expect(await world.sessions.end({ publicId: guest?.publicId ?? "" })).toBe(false);
    expect([await reason, guest?.state, guest?.data]).toEqual(["io server disconnect", "ended", {}]);
    expect([heard, ended]).toEqual([["revoked"], []]);
    socket.connect();
    await connected(socket);
    expect(browser.cookie).not.toBe(cookie);
  });
});

test("sessions.logout ends the guest of the request's cookie, though express-session has not found its session", async () => {
  const store = memoryStore();
  const world = await start({
    store,
    routes: (app, sessions) => {
      app.post("/leave", async (req, res) => void res.json(await sessions.logout(req, res)));
    },
  });
  const browser = browse(world);
  const socket = await browser.connect("/", { transports: ["websocket"] });
  const reason = disconnected(socket);
  expect(JSON.parse(await browser.post("/leave"))).toBe(false);
  expect(browser.cookie).toBe("");
  expect(await reason).toBe("io server disconnect");
  await expect(write(world)).rejects.toThrow(expect.objectContaining({ code: "SESSION_ENDED" }));
  expect(await store.count?.()).toBe(0);
});

describe("an end during the handshake of another tab", () => {
  test.each(["polling", "websocket"] as const)("closes one of revision 3, by %s", async (transport) => {
    const allow: (() => void)[] = [];
    const allowRequest: ServerOptions["allowRequest"] = ({ headers }, answer) => {
      if (headers.cookie) allow.push(() => answer(null, true));
      else answer(null, true);
    };
    const world = await start({ io: { allowEIO3: true, allowRequest } });
    const browser = browse(world);
    await browser.connect("/", { transports: ["websocket"] });
    const answered = rawHandshake(world.url, transport, { cookie: browser.cookie }, 3);
    await expect.poll(() => allow.length).toBe(1);
    await world.sessions.end({ publicId: world.handles[0]?.publicId ?? "" });
    allow[0]?.();
    const { close } = await answered;
    await expect.poll(() => world.io.engine.clientsCount).toBe(0);
    expect(world.handles).toHaveLength(1);
    close();
  });
});

describe("a guest of whom nothing is stored", () => {
  test("reads as empty, is counted as a connection, and is not a live session", async () => {
    const store = spyStore(memoryStore());
    const world = await start({ store, userId: ({ userId }) => userId });
    await browse(world).connect();
    const [guest] = world.handles;
    expect([guest?.state, guest?.data, guest?.expiresAt, guest?.userId]).toEqual([
      "guest",
      {},
      Number.POSITIVE_INFINITY,
      undefined,
    ]);
    expect(await guest?.reload()).toEqual({});
    expect(world.sessions.stats()).toMatchObject({
      live: 0,
      connections: 1,
      refused: { SESSION_REQUIRED: 0 },
    });
    expect(store.calls).toMatchObject({ read: 0, readMany: 0, create: 0 });
    await write(world);
    expect(world.sessions.stats()).toMatchObject({ live: 1, connections: 1 });
    expect([guest?.state, Number.isFinite(guest?.expiresAt)]).toEqual(["live", true]);
  });

  test("is one in an exempt namespace as well: the handshake does not name it", async () => {
    const world = await start({ attach: { exempt: ["/admin"] } });
    const browser = browse(world);
    const exempt = await browser.connect("/admin");
    expect([await exempt.emitWithAck("state"), browser.cookie]).toEqual([
      "guest",
      expect.stringMatching(/^sid=/),
    ]);
    const main = exempt.io.socket("/");
    await new Promise<void>((resolve) => main.once("connect", resolve));
    await write(world, 1);
    expect(JSON.parse(await browser.get("/session")).data).toEqual({ n: 1 });
  });

  test("lives as long as any other session from its first write on", async () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    const world = await start({ store, clock, cookie: { maxAge: 60_000 } });
    await browse(world).connect();
    await clock.advance(600_000);
    await write(world);
    expect(world.handles[0]?.expiresAt).toBe(clock.now() + 60_000);
    const [document] = Object.values((await store.all?.()) ?? {});
    expect(document?.cookie).toMatchObject({
      originalMaxAge: 60_000,
      expires: new Date(clock.now() + 60_000).toISOString(),
    });
  });

  test("stores what it began to write before it left", async () => {
    const store = memoryStore();
    const world = await start({ store });
    const browser = browse(world);
    const socket = await browser.connect();
    const [serverSide] = serverSockets(world.io);
    const left = new Promise((resolve) => serverSide?.once("disconnect", resolve));
    const update = world.handles[0]?.update(async (s) => {
      s.n = 1;
      socket.disconnect();
      await left;
    });
    await update;
    socket.connect();
    await connected(socket);
    expect(await socket.emitWithAck("read")).toEqual({ n: 1 });
    expect(await store.count?.()).toBe(1);
  });
});

describe("a store that fails", () => {
  /** A store whose `create` may fail, after or before it has stored the session. */
  function failing(): { store: SessionStore; fails: "never" | "before" | "after" } {
    const inner = memoryStore();
    const fail = async () => Promise.reject(new Error("down"));
    const create: SessionStore["create"] = async (...args) => {
      const revision = await (place.fails === "before" ? fail() : inner.create(...args));
      return place.fails === "after" ? fail() : revision;
    };
    const store = new Proxy(inner, {
      get(_target, name) {
        if (name === "create") return create;
        if (name.toString().startsWith("read") && place.fails === "before") return fail;
        const value: unknown = Reflect.get(inner, name, inner);
        return typeof value === "function" ? value.bind(inner) : value;
      },
    });
    const place: ReturnType<typeof failing> = { store, fails: "never" };
    return place;
  }

  test("keeps no visitor without a cookie out", async () => {
    const place = failing();
    const world = await start({ store: place.store });
    place.fails = "before";
    const browser = browse(world);
    const tabs = [await browser.connect(), await browser.connect()];
    for (const tab of tabs) expect(await tab.emitWithAck("state")).toBe("guest");
  });

  test.each(["before", "after"] as const)(
    "%s it has stored the first write: the client has to come back, as the id may be stored or not",
    async (moment) => {
      const place = failing();
      const world = await start({ store: place.store });
      const browser = browse(world);
      const socket = await browser.connect();
      const { cookie } = browser;
      place.fails = moment;
      const left = disconnected(socket);
      const back = left.then(() => new Promise<void>((resolve) => socket.once("connect", resolve)));
      await expect(write(world)).rejects.toThrow(expect.objectContaining({ code: "STORE_FAILED" }));
      expect(await left).toMatch(/^transport/);
      await expect(write(world)).rejects.toThrow("could not be verified");
      place.fails = "never";
      await back;
      expect(await socket.emitWithAck("read")).toEqual(moment === "after" ? { n: 1 } : {});
      expect(browser.cookie === cookie).toBe(moment === "after");
    },
  );
});
