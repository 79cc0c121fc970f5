/** Login and logout in several tabs, and what happens as a page is left and comes back. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeBrowser, FakeChannel } from "./fake-browser.ts";
import type { FakeRoutes } from "./fake-routes.ts";
import { guest, live } from "./fake-socket.ts";
import { fakePage, openTab, removePage, settle } from "./tab.ts";

const again = ["disconnect", "close", "connect"];

let browser: FakeBrowser;
let routes: FakeRoutes;
beforeEach(() => {
  ({ browser, routes } = fakePage());
});
afterEach(removePage);

describe("a login", () => {
  test("in one tab connects all tabs again", () => {
    const [one, other] = [openTab(), openTab()];
    one.socket.welcome(guest);
    other.socket.dismiss({ reason: "expired" });
    void one.session.loggedIn();
    for (const { socket, session } of [one, other]) {
      expect(socket.calls).toEqual(again);
      expect(session.getSnapshot().state).toBe("connecting");
    }
  });

  test("leaves a socket alone that the application has not connected, or has disconnected", () => {
    const [one, idle, away] = [openTab(), openTab(), openTab()];
    idle.socket.active = false;
    away.socket.welcome(live());
    away.socket.disconnect();
    for (const { socket } of [idle, away]) socket.calls.length = 0;
    void one.session.loggedIn();
    for (const { socket } of [idle, away]) expect(socket.calls).toEqual([]);
    void away.session.loggedIn(); // its own is meant
    expect(away.socket.calls).toEqual(again);
  });

  test.each([
    [{ routes: "/session" }, { routes: "/admin/session" }],
    [{ name: "shop" }, { name: "admin" }],
    [
      { routes: "/session", name: "shop" },
      { routes: "/session", name: "admin" },
    ],
  ])("in an application with %j leaves that with %j alone", (options, others) => {
    const [one, other] = [openTab(options), openTab(others)];
    void one.session.loggedIn();
    expect(other.socket.calls).toEqual([]);
  });
});

describe("a logout", () => {
  test("in one tab ends all that are live or lost", () => {
    const [one, two, three] = [openTab(), openTab(), openTab()];
    for (const { socket } of [one, two, three]) socket.welcome(live());
    three.socket.lose();
    one.session.loggedOut();
    for (const { session, socket } of [one, two, three]) {
      expect(session.getSnapshot()).toEqual({ state: "ended", reason: "destroyed" });
      expect(socket.active).toBe(false);
    }
  });

  test("that the server has already told is told once", () => {
    const [one, other] = [openTab(), openTab()];
    for (const { socket } of [one, other]) {
      socket.welcome(live());
      socket.dismiss({ reason: "destroyed", message: "bye" });
    }
    one.session.loggedOut();
    expect(other.session.getSnapshot().message).toBe("bye");
    expect(other.states).toEqual(["connecting", "live", "ended"]);
  });

  test("leaves guests alone", () => {
    const [one, other] = [openTab(), openTab()];
    other.socket.welcome(guest);
    one.session.loggedOut();
    expect(other.states).toEqual(["connecting", "guest"]);
    expect(other.socket.calls).toEqual([]);
  });
});

describe("the channel", () => {
  test.each([[undefined], [null], [{}], ["In"], [["in"]], [Number.NaN], [Number.POSITIVE_INFINITY], [-1]])(
    "may carry %j, which means nothing",
    (message) => {
      const { socket, states } = openTab();
      socket.welcome(live());
      new FakeChannel("socket-session:", browser.channels).postMessage(message);
      expect(states).toEqual(["connecting", "live"]);
      expect(socket.calls).toEqual([]);
    },
  );

  test.each([
    ["missing", { without: ["BroadcastChannel", "localStorage", "navigator", "document"] }],
    ["forbidden", { forbidden: ["BroadcastChannel", "localStorage", "navigator"] }],
  ])("and all else that tabs share may be %s", async (_how, options) => {
    browser.install(options);
    const { session, socket, states } = openTab({ routes: "/session" });
    socket.welcome(live({ cookieMs: 1_000 }));
    routes.answer = live({ cookieMs: 1_000 });
    socket.emit("message");
    await settle();
    expect(routes.asked).toEqual(["POST /session/renew"]);
    const outcome = session.loggedIn();
    socket.welcome(live({ publicId: "b".repeat(22) }));
    await outcome;
    session.loggedOut();
    expect(states).toEqual(["connecting", "live", "connecting", "live", "ended"]);
  });
});

describe("a page that goes", () => {
  test("closes channel and connection, which would keep it out of the back/forward cache", () => {
    const { socket, states } = openTab();
    socket.welcome(live());
    browser.emit("pagehide", { persisted: true });
    expect(browser.channels).toEqual([]);
    expect(socket.calls).toEqual(["close"]);
    expect(states).toEqual(["connecting", "live", "connecting"]);
  });

  test("and comes back, connects again and is one of the tabs", async () => {
    const [one, other] = [openTab(), openTab()];
    one.socket.welcome(live());
    browser.emit("pagehide", { persisted: true });
    browser.emit("pageshow", { persisted: true });
    expect(one.socket.calls).toEqual(["close", ...again]);
    one.socket.refuse({ code: "SESSION_ENDED" });
    await settle();
    void other.session.loggedIn();
    expect(one.socket.calls).toEqual(["close", ...again, ...again]);
  });

  test.each([
    ["ended", live(), again, "connecting"],
    ["ended", guest, [], "ended"],
    ["ended", "SESSION_REQUIRED", [], "ended"],
  ] as const)("and was %s, learns of a login elsewhere: %j", async (_state, answer, calls, state) => {
    const { session, socket } = openTab({ routes: "/session" });
    socket.welcome(live());
    socket.dismiss({ reason: "destroyed" });
    browser.emit("pagehide", { persisted: true });
    socket.calls.length = 0;
    routes.answer = answer;
    browser.emit("pageshow", { persisted: true });
    await settle();
    expect(socket.calls).toEqual(calls);
    expect(session.getSnapshot().state).toBe(state);
  });

  test("and was disconnected by the application, stays so", async () => {
    const { socket } = openTab({ routes: "/session" });
    socket.welcome(live());
    socket.disconnect();
    socket.calls.length = 0;
    routes.answer = live();
    browser.emit("pagehide", { persisted: true });
    browser.emit("pageshow", { persisted: true });
    await settle();
    expect(socket.calls).toEqual([]);
  });

  test("is shown for the first time without more ado", () => {
    const { socket } = openTab();
    browser.emit("pageshow", { persisted: false });
    expect(socket.calls).toEqual([]);
  });

  test("after close() is left alone", () => {
    const { session, socket } = openTab();
    session.close();
    browser.emit("pagehide", { persisted: true });
    browser.emit("pageshow", { persisted: true });
    browser.emit("focus");
    expect(socket.calls).toEqual([]);
    expect(browser.channels).toEqual([]);
  });
});
