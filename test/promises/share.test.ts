/** A page is told the state of its session, with what the application shares; on every store, transport and kind of namespace. */
import type { Socket } from "socket.io-client";
import { type StateMessage, stateEvent } from "socket-session/protocol";
import { expect, onTestFinished, test } from "vitest";
import { type Browser, connected, disconnected } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { describeEverywhere } from "../support/matrix.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Databases answer in their own time, while a test moves the node's clock. */
const patient = { storeTimeoutMs: 100 * day, revalidateIntervalMs: 100 * day };
/** As fast as the feed, or, over a wrapped store, as `revalidateIntervalMs`. */
const soon = { timeout: 20_000 };
/** Redis counts the time that is left, in time of its own. */
const about = (ms: number): unknown => expect.closeTo(ms, -4);

describeEverywhere("what a page is told of its session", ({ store, transports, namespace }) => {
  const start = async (options: WorldOptions = {}): Promise<World> => {
    const world = await startWorld({
      store: store.open(),
      revalidateIntervalMs: 200,
      attach: { share: ({ name, n }) => ({ name, n }) },
      sockets: (io) => installHandlers(io, (socket) => void socket.emit("hello")),
      ...options,
    });
    onTestFinished(() => world.close());
    return world;
  };

  /** A client, all events that it has received, and the states among them. */
  const join = async (visitor: Browser) => {
    const socket: Socket = visitor.socket(namespace, { transports });
    const events: [string, ...unknown[]][] = [];
    socket.onAny((...event: [string, ...unknown[]]) => events.push(event));
    await connected(socket);
    const states = () => events.filter(([name]) => name === stateEvent).map(([, message]) => message);
    return { socket, events, states, last: () => states().at(-1) as StateMessage | undefined };
  };

  test("comes before all else, by every connection, and again when a request has changed it", async () => {
    const world = await start({ cookie: { maxAge: hour } });
    const ada = await world.visitor({ name: "ada", m: 1 });
    const tabs = [await join(ada), await join(ada)];
    const told = {
      state: "live",
      publicId: expect.stringMatching(/^[\w-]{22}$/),
      leftMs: expect.closeTo(hour, -5),
      cookieMs: expect.closeTo(hour, -2), // `express-session` sometimes loses a millisecond
      data: { name: "ada" },
    };
    for (const { socket, events } of tabs) {
      await socket.emitWithAck("read");
      expect(events.slice(0, 2)).toEqual([[stateEvent, told], ["hello"]]);
    }
    await ada.post("/write", { name: "lovelace", m: 2 });
    for (const { last } of tabs)
      await expect.poll(last, soon).toEqual({ ...told, data: { name: "lovelace" } });
  });

  test("comes again when another node has changed it", async () => {
    const opened = store.open();
    const [here, there] = [await start({ store: opened }), await start({ store: opened })];
    const ada = await here.visitor({ name: "ada" });
    const { last } = await join(ada);
    await ada.at(there.url).post("/write", { name: "lovelace" });
    await expect.poll(last, soon).toMatchObject({ state: "live", data: { name: "lovelace" } });
    const other = await ada.at(there.url).connect(namespace, { transports });
    await other.emitWithAck("increment");
    await expect.poll(last, soon).toMatchObject({ data: { name: "lovelace", n: 1 } });
  });

  test("says how long the session goes on, at each extension", async () => {
    const clock = new ManualClock();
    const world = await start({ store: store.open(clock), clock, ...patient, ttlMs: hour });
    const { socket, states, last } = await join(await world.visitor());
    expect(last()).toMatchObject({ leftMs: about(hour) });
    expect(last()).not.toHaveProperty("cookieMs");
    for (let n = 0; n < 2; n++) {
      const known = states().length;
      await clock.advance(20 * minute);
      await socket.emitWithAck("read");
      // a read in between, as by a feed that missed its beats, moves the deadline as well where a store has relative times
      const left = () => Reflect.get(Object(states().slice(known).at(-1)), "leftMs");
      await expect.poll(left, soon).toBeGreaterThan(hour - minute);
    }
  });

  test("is what the page is answered when it asks, and the session goes on when it asks for that", async () => {
    const clock = new ManualClock();
    const world = await start({
      ...patient,
      store: store.open(clock),
      clock,
      cookie: { maxAge: hour },
      routes: (app, sessions) => app.use("/session", sessions.routes()),
    });
    const ada = await world.visitor({ name: "ada" });
    const { last } = await join(ada);
    const told = last();
    const ask = async (method: string, path: string): Promise<StateMessage> => {
      const { status, body } = await ada.request(`/session${path}`, { method });
      expect(status).toBe(200);
      return JSON.parse(body);
    };
    expect(await ask("GET", "/state")).toEqual({ ...told, leftMs: about(hour) });
    await clock.advance(20 * minute);
    expect(await ask("POST", "/renew")).toEqual({ ...told, leftMs: about(hour) });
    await expect.poll(last, soon).toMatchObject({ leftMs: about(hour), data: { name: "ada" } });
    await ada.post("/logout");
    expect((await ada.request("/session/renew", { method: "POST" })).status).toBe(401);
  });

  test("is nothing after the end", async () => {
    const world = await start();
    const ada = await world.visitor();
    const { socket, events } = await join(ada);
    const gone = disconnected(socket);
    await ada.post("/write", { name: "lovelace" });
    await ada.post("/logout");
    await gone;
    expect(events.at(-1)).toEqual(["session:end", { reason: "destroyed" }]);
  });

  test("is that a guest is one, until the first write of one with a session", async () => {
    const allowed = await join((await start({ guests: "allow" })).browser());
    const made = await join((await start({ guests: "create" })).browser());
    for (const { socket, events } of [allowed, made]) {
      await socket.emitWithAck("read");
      expect(events).toEqual([[stateEvent, { state: "guest" }], ["hello"]]);
    }
    expect(await made.socket.emitWithAck("increment")).toBe(1);
    expect(made.last()).toMatchObject({ state: "live", data: { n: 1 } });
  });
});
