/** `guests: "create"`: a visitor whose first contact is a socket has a session, which the first write stores. */
import type { LiveSession, SessionStore } from "socket-session";
import { afterEach, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { KeepingBrowser } from "../support/keeping-browser.ts";
import { describeEverywhere, describeStores } from "../support/matrix.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
const browsers: KeepingBrowser[] = [];
afterEach(async () => {
  for (const browser of browsers.splice(0)) browser.close();
  await world.close();
});

function browse(): KeepingBrowser {
  const browser = new KeepingBrowser(world.url);
  browsers.push(browser);
  return browser;
}

async function start(store: () => SessionStore | object, handles: LiveSession[] = []) {
  world = await startWorld({
    store: store() as SessionStore,
    guests: "create",
    sockets: (io) =>
      installHandlers(io, ({ session }) => {
        handles.push(session);
      }),
  });
  return browse();
}

const idIn = ({ cookie }: KeepingBrowser) => /sid=s%3A([^.]+)\./.exec(cookie)?.[1];

/** How many sessions are stored, as `express-session` would count them. */
function stored(): Promise<number> {
  const store = world.sessions.store();
  return new Promise((resolve, reject) => {
    const answer = (error: unknown, sessions: unknown) =>
      error ? reject(error) : resolve(Object.keys(Object(sessions)).length);
    store.all?.(answer as Parameters<NonNullable<typeof store.all>>[0]);
  });
}

describeEverywhere("a visitor's first contact", ({ store, transports, namespace }) => {
  const connect = async (browser: KeepingBrowser, name = namespace) => {
    const socket = await browser.connect(name, { transports });
    await upgraded(socket);
    return socket;
  };

  test("gives it an id and a cookie; its first write stores the session, which is then live in all namespaces", async () => {
    const handles: LiveSession[] = [];
    const browser = await start(() => store.open(), handles);
    const socket = await connect(browser);
    const other = socket.io.socket(namespace === "/admin" ? "/" : "/admin");
    await new Promise<void>((resolve) => other.once("connect", resolve));
    const heard: unknown[] = [];
    for (const one of handles) one.on("change", (...change) => heard.push(change));
    const [{ publicId } = { publicId: "" }] = handles;
    expect(publicId).toHaveLength(22);
    expect(handles.map((one) => [one.state, one.publicId, one.data])).toEqual(
      Array(2).fill(["guest", publicId, {}]),
    );
    const id = idIn(browser);
    expect(id).toHaveLength(32);
    expect(await stored()).toBe(0);

    expect(await socket.emitWithAck("increment")).toBe(1);
    expect(handles.map((one) => [one.state, one.publicId, one.data])).toEqual(
      Array(2).fill(["live", publicId, { n: 1 }]),
    );
    expect(heard).toEqual(Array(2).fill([{ n: 1 }, {}]));
    expect(JSON.parse(await browser.get("/session"))).toEqual({ id, data: { n: 1 } });
    expect(await browser.post("/update")).toBe("2");
    await expect.poll(() => handles.map(({ data }) => data.n)).toEqual([2, 2]);
    expect([socket.connected, other.connected, world.errors]).toEqual([true, true, []]);
  });

  test("leaves nothing in the store if it never writes, and another visit gets another id", async () => {
    const handles: LiveSession[] = [];
    const browser = await start(() => store.open(), handles);
    const socket = await connect(browser);
    const id = idIn(browser);
    const [guest] = handles;
    expect(await guest?.update(() => "read only")).toBe("read only");
    expect(guest?.state).toBe("guest");
    const [serverSide] = serverSockets(world.io);
    const left = new Promise((resolve) => serverSide?.conn.once("close", resolve));
    socket.disconnect();
    await left;
    await expect.poll(() => guest?.state).toBe("ended");
    await expect(guest?.update((s) => Object.assign(s, { n: 1 }))).rejects.toThrow(
      expect.objectContaining({ code: "SESSION_ENDED" }),
    );
    expect(await stored()).toBe(0);
    expect(JSON.parse(await browser.get("/session")).data).toEqual({});
    await connect(browser);
    expect(idIn(browser)).not.toBe(id);
    expect(await stored()).toBe(0);
  });
});

describeStores("a visitor with two tabs", ({ store, transports }) => {
  test("has one session in both: both write at once, and no write is lost", async () => {
    const handles: LiveSession[] = [];
    const browser = await start(() => store.open(), handles);
    const tabs = [await browser.connect("/", { transports }), await browser.connect("/", { transports })];
    expect(new Set(handles.map(({ publicId }) => publicId)).size).toBe(1);
    const writes = tabs.flatMap((tab) => Array.from({ length: 5 }, () => tab.emitWithAck("increment")));
    expect((await Promise.all(writes)).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await stored()).toBe(1);
    expect(handles.map(({ state, data }) => [state, data])).toEqual(Array(2).fill(["live", { n: 10 }]));
  });

  test("who logs out is out in both, for good: nothing stores that id again", async () => {
    const handles: LiveSession[] = [];
    const browser = await start(() => store.open(), handles);
    const tabs = [await browser.connect("/", { transports }), await browser.connect("/", { transports })];
    const id = idIn(browser);
    await tabs[0]?.emitWithAck("increment");
    const reasons = Promise.all(tabs.map(disconnected));
    await browser.post("/logout");
    expect(await reasons).toEqual(Array(2).fill("io server disconnect"));
    for (const handle of handles)
      await expect(handle.update((s) => Object.assign(s, { n: 9 }))).rejects.toThrow(
        expect.objectContaining({ code: "SESSION_ENDED" }),
      );
    expect(await stored()).toBe(0);

    const again = await browser.connect("/", { transports });
    expect(idIn(browser)).not.toBe(id);
    expect(await again.emitWithAck("increment")).toBe(1);
    expect(JSON.parse(await browser.get("/session"))).toEqual({ id: idIn(browser), data: { n: 1 } });
  });

  test("and ends the session before anything is stored: both are closed, and nothing is stored", async () => {
    const handles: LiveSession[] = [];
    const browser = await start(() => store.open(), handles);
    const tabs = [await browser.connect("/", { transports }), await browser.connect("/", { transports })];
    const reasons = Promise.all(tabs.map(disconnected));
    const [guest] = handles;
    let end: Promise<boolean> | undefined;
    const update = guest?.update(async (s) => {
      s.n = 1;
      end = guest.end();
      await end;
    });
    await expect(update).rejects.toThrow(expect.objectContaining({ code: "SESSION_ENDED" }));
    expect(await end).toBe(false);
    expect(await reasons).toEqual(Array(2).fill("io server disconnect"));
    expect(await stored()).toBe(0);
  });
});
