/** Tickets as the `auth` of a stock client, before a real server. */

import type { Socket } from "socket.io-client";
import { sessionClient, ticketAuth } from "socket-session/client";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Browser, connected, disconnected, refused } from "../support/browser.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { storeThatFails } from "../support/store-that-fails.ts";
import { startWorld, type World } from "../support/world.ts";

const ticketMs = 5_000;

let world: World;
let clock: ManualClock;
let isDown: boolean;
beforeEach(async () => {
  clock = new ManualClock();
  isDown = false;
  const store = storeThatFails(() => isDown, { clock });
  world = await startWorld({
    store,
    clock,
    ticketMs,
    routes: (app, sessions) => void app.use("/session", sessions.routes()),
  });
});
afterEach(() => world.close());

/** A socket that sends no cookie, whose page fetches tickets with its own. `onTicket` runs before a ticket is given to the client. */
function open(browser: Browser, onTicket = async (_number: number) => {}) {
  const asked: number[] = [];
  const request = async (url: string, { method }: { method: "POST" }) => {
    const { status, body } = await browser.request(url, { method });
    asked.push(status);
    await onTicket(asked.length);
    return { status, json: async (): Promise<unknown> => JSON.parse(body) };
  };
  const socket = browser.socket("/", {
    auth: ticketAuth("/session/ticket", { fetch: request }),
    extraHeaders: {},
    autoConnect: false,
  });
  const session = sessionClient(socket);
  onTestFinished(session.close);
  const states: string[] = [session.getSnapshot().state];
  session.on("change", ({ state }) => states.push(state));
  socket.connect();
  return { socket, session, states, asked };
}

/** Resolves when the client has this state. */
const hasState = (session: ReturnType<typeof open>["session"], state: string) =>
  new Promise<void>((resolve) => {
    const check = () => session.getSnapshot().state === state && resolve();
    session.subscribe(check);
    check();
  });

describe("a page by tickets", () => {
  test("gets in, and fetches another ticket for each connection", async () => {
    const { socket, asked } = open(await world.visitor());
    await connected(socket);
    const gone = disconnected(socket);
    for (const one of world.io.sockets.sockets.values()) one.conn.close();
    await gone;
    await connected(socket);
    expect(asked).toEqual([200, 200]);
  });

  test("without a session is refused by the server, in its words", async () => {
    const { socket, session, asked } = open(world.browser());
    await refused(socket);
    await hasState(session, "refused");
    expect(asked).toEqual([401]);
    expect(session.getSnapshot()).toMatchObject({ code: "SESSION_REQUIRED", help: "login" });
  });

  test("whose ticket came too late gets in by the next, and was never refused", async () => {
    const { session, states, asked } = open(await world.visitor(), async (number) => {
      if (number === 1) await clock.advance(ticketMs);
    });
    await hasState(session, "live");
    expect(asked).toEqual([200, 200]);
    expect(states).toEqual(["connecting", "live"]);
  });

  test("whose second ticket is late too is refused; after a connection there is another retry", async () => {
    let isSlow = true;
    const { socket, session, states, asked } = open(await world.visitor(), async () => {
      if (isSlow) await clock.advance(ticketMs);
    });
    await hasState(session, "refused");
    expect(asked).toEqual([200, 200]);
    expect(session.getSnapshot()).toMatchObject({ code: "TICKET_INVALID", help: "retry" });
    isSlow = false;
    socket.connect();
    await hasState(session, "live");
    isSlow = true;
    for (const one of world.io.sockets.sockets.values()) one.conn.close();
    await hasState(session, "refused");
    expect(asked).toEqual([200, 200, 200, 200, 200]);
    expect(states).toEqual(["connecting", "refused", "live", "lost", "refused"]);
  });

  test("tries again if there is no ticket at the moment", async () => {
    isDown = true;
    const { socket, asked } = open(await world.visitor());
    await expect.poll(() => asked.length).toBeGreaterThan(1);
    expect(new Set(asked)).toEqual(new Set([503]));
    isDown = false;
    await connected(socket);
  });

  test("is lost as long as there is no ticket", async () => {
    const { session, states, asked } = open(await world.visitor());
    await hasState(session, "live");
    isDown = true;
    for (const one of world.io.sockets.sockets.values()) one.conn.close();
    await expect.poll(() => asked.length).toBeGreaterThan(2);
    isDown = false;
    await hasState(session, "live");
    expect(states).toEqual(["connecting", "live", "lost", "live"]);
  });

  test("does not use a ticket whose connection is gone", async () => {
    const held = Promise.withResolvers<void>();
    const { socket, asked } = open(await world.visitor(), async (number) => {
      if (number === 1) await held.promise;
    });
    await expect.poll(() => asked.length).toBe(1);
    socket.disconnect().connect();
    await connected(socket);
    held.resolve();
    expect(asked).toEqual([200, 200]);
    expect(socket.connected).toBe(true);
  });

  test("may call it by itself: without the socket a ticket is just given", async () => {
    const browser = await world.visitor();
    const auth = ticketAuth("/session/ticket", {
      fetch: async (url, { method }) => {
        const { status, body } = await browser.request(url, { method });
        return { status, json: async () => JSON.parse(body) };
      },
    });
    const socket: Socket = browser.socket("/", { auth: (send) => void auth(send), extraHeaders: {} });
    await connected(socket);
  });
});
