/** The page's half with the stock client and a real server, by each transport. */

import type { Socket } from "socket.io-client";
import { sessionClient } from "socket-session/client";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Browser } from "../support/browser.ts";
import { storeThatFails } from "../support/store-that-fails.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
let isDown: boolean;
afterEach(async () => {
  vi.unstubAllGlobals();
  await world.close();
});

async function start(options: WorldOptions = {}): Promise<void> {
  isDown = false;
  const store = storeThatFails(() => isDown);
  world = await startWorld({
    store,
    attach: { share: ({ name }) => ({ name }) },
    routes: (app, sessions) => void app.use("/session", sessions.routes()),
    ...options,
  });
}

/** The page's requests, which name a path alone, go with the browser's cookies. */
function fetchBy(browser: Browser): void {
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", async (url: string | URL, init: RequestInit) => {
    if (url instanceof URL) return fetch(url, init);
    const { status, body } = await browser.request(url, init);
    return new Response(body, { status });
  });
}

/** The states of a socket's session, from the first. */
function follow(socket: Socket, options = {}) {
  const session = sessionClient<{ name: string }>(socket, { name: crypto.randomUUID(), ...options });
  onTestFinished(session.close);
  const states: string[] = [session.getSnapshot().state];
  session.on("change", ({ state }) => states.push(state));
  const has = (state: string) =>
    new Promise<void>((resolve) => {
      const check = () => session.getSnapshot().state === state && resolve();
      session.subscribe(check);
      check();
    });
  return { socket, session, states, has };
}

describe.each([[["polling"]], [["websocket"]], [["polling", "websocket"]]])("by %j", (transports) => {
  const open = (browser: Browser, options = {}, namespace = "/") =>
    follow(browser.socket(namespace, { transports }), options);

  test("a visitor has the data that the server shares, until the logout", async () => {
    await start();
    const ada = await world.visitor();
    const { session, states, has } = open(ada);
    await has("live");
    expect(session.getSnapshot().data).toEqual({ name: "ada" });
    await ada.post("/logout");
    await has("ended");
    expect(session.getSnapshot()).toEqual({ state: "ended", reason: "destroyed" });
    expect(states).toEqual(["connecting", "live", "ended"]);
  });

  test("one who is refused logs in, and is in", async () => {
    await start();
    const browser = world.browser();
    const { session, states, has } = open(browser);
    await has("refused");
    expect(session.getSnapshot()).toMatchObject({ code: "SESSION_REQUIRED", help: "login" });
    await browser.post("/login", { name: "ada" });
    expect(await session.loggedIn()).toMatchObject({ state: "live", data: { name: "ada" } });
    expect(states).toEqual(["connecting", "refused", "connecting", "live"]);
  });

  test("a guest logs in, and is one no longer", async () => {
    await start({ guests: "allow" });
    const browser = world.browser();
    const { session, states, has } = open(browser);
    await has("guest");
    await browser.post("/login", { name: "ada" });
    expect(await session.loggedIn()).toMatchObject({ state: "live" });
    expect(states).toEqual(["connecting", "guest", "connecting", "live"]);
  });

  test("a login gives the socket the new session, without a moment of an end", async () => {
    await start();
    const ada = await world.visitor();
    const { session, states, has } = open(ada);
    await has("live");
    await ada.post("/login", { name: "grace" });
    expect(await session.loggedIn()).toMatchObject({ state: "live", data: { name: "grace" } });
    expect(states).not.toContain("ended");
    expect(states).not.toContain("refused");
  });

  test("a login that the page does not know of has it connect again without a pause", async () => {
    await start({ sockets: (io) => void io.on("connection", (one) => one.on("sync", (done) => done())) });
    const ada = await world.visitor();
    const pause = { reconnectionDelay: 3_600_000, reconnectionDelayMax: 3_600_000 };
    const { socket, session, states, has } = follow(ada.socket("/", { transports, ...pause }));
    await has("live");
    await upgraded(socket);
    await socket.emitWithAck("sync"); // the server knows of the upgrade: while it is under way, it does not tell
    const isNew = new Promise<void>((resolve) =>
      session.on("change", ({ data }) => data?.name === "grace" && resolve()),
    );
    await ada.post("/login", { name: "grace" });
    await isNew;
    expect(states).toEqual(["connecting", "live", "connecting", "live"]);
  });

  test.each([
    ["connect()", ({ socket }: ReturnType<typeof follow>) => void socket.connect()],
    ["loggedIn()", ({ session }: ReturnType<typeof follow>) => void session.loggedIn()],
  ])("a visitor whose session ends goes on as a guest, by %s of a listener", async (_call, goOn) => {
    await start({ guests: "allow" });
    const ada = await world.visitor();
    const page = open(ada);
    await page.has("live");
    page.session.on("end", () => goOn(page));
    await ada.post("/logout");
    await page.has("guest");
    expect(page.states.filter((state) => state !== "connecting")).toEqual(["live", "ended", "guest"]);
  });

  test("a store that is down is seen, and over when it is back", async () => {
    await start();
    const ada = await world.visitor();
    fetchBy(ada);
    isDown = true;
    const { session, has } = open(ada, { routes: "/session" });
    await has("refused");
    expect(session.getSnapshot()).toMatchObject({ code: "STORE_UNAVAILABLE", help: "retry" });
    isDown = false;
    await has("live");
  });

  test("a connection that is lost comes back", async () => {
    await start();
    const { states, has } = open(await world.visitor());
    await has("live");
    for (const { conn } of world.io.sockets.sockets.values()) conn.close();
    await has("lost");
    await has("live");
    expect(states).toEqual(["connecting", "live", "lost", "live"]);
  });

  test("two namespaces of a page log in together", async () => {
    await start({ guests: "allow", sockets: (io) => void io.of("/other").on("connection", () => {}) });
    const browser = world.browser();
    const name = crypto.randomUUID();
    const one = open(browser, { name });
    const other = follow(one.socket.io.socket("/other"), { name });
    await Promise.all([one.has("guest"), other.has("guest")]);
    await browser.post("/login", { name: "ada" });
    expect(await one.session.loggedIn()).toMatchObject({ state: "live" });
    await other.has("live");
    await browser.post("/logout");
    await Promise.all([one.has("ended"), other.has("ended")]);
  });

  test("two namespaces that are just connecting log in as well", async () => {
    await start({ guests: "allow", sockets: (io) => void io.of("/other").on("connection", () => {}) });
    const browser = world.browser();
    const one = open(browser);
    const other = follow(one.socket.io.socket("/other"));
    await browser.post("/login", { name: "ada" });
    await one.session.loggedIn();
    await Promise.all([one.has("live"), other.has("live")]);
  });
});

test("a server that shares nothing has the socket live, without more", async () => {
  await start({ attach: {} });
  const ada = await world.visitor();
  const { session, has } = follow(ada.socket());
  await has("live");
  expect(session.getSnapshot()).toEqual({ state: "live" });
  await ada.post("/logout");
  await has("ended");
});

test("a client that is made late asks for the state", async () => {
  await start();
  const ada = await world.visitor();
  fetchBy(ada);
  const socket = await ada.connect();
  const { session, has } = follow(socket, { routes: "/session" });
  await has("live");
  expect(session.getSnapshot().data).toEqual({ name: "ada" });
  expect(session.leftMs).toBeGreaterThan(0);
});

test("the stock client has what is used of it beyond its documentation", async () => {
  await start();
  const socket = world.browser().socket("/", { autoConnect: false });
  expect(socket.io._close).toBeTypeOf("function");
});
