/** The browser's cookie is renewed by activity: once per browser and period, not once per tab. */
import { stateEvent } from "socket-session/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FakeBrowser } from "./fake-browser.ts";
import type { FakeRoutes } from "./fake-routes.ts";
import { guest, live } from "./fake-socket.ts";
import { fakePage, openTab, removePage, settle } from "./tab.ts";

const cookieMs = 3_600_000;
const renewed = "POST /session/renew";

let browser: FakeBrowser;
let routes: FakeRoutes;
beforeEach(() => {
  ({ browser, routes } = fakePage());
  routes.answer = live({ cookieMs });
});
afterEach(removePage);

/** What was asked for, but for the time left. */
const renewals = () => routes.asked.filter((asked) => asked.startsWith("POST"));

/** A tab whose socket has a session. */
function openLive(answer = live({ cookieMs })) {
  const tab = openTab({ routes: "/session" });
  tab.socket.welcome(answer);
  return tab;
}

async function act({ socket }: ReturnType<typeof openTab>): Promise<void> {
  socket.emit("message");
  await settle();
}

describe("a renewal", () => {
  test("comes with the first activity, and then after half of the cookie's life", async () => {
    const tab = openLive();
    await act(tab);
    expect(renewals()).toEqual([renewed]);
    for (let part = 0; part < 4; part++) {
      await act(tab);
      vi.advanceTimersByTime(cookieMs / 8);
    }
    expect(renewals()).toEqual([renewed]);
    await act(tab);
    expect(renewals()).toEqual([renewed, renewed]);
  });

  test("never comes by mere presence", async () => {
    openLive();
    for (let n = 0; n < 10; n++) {
      vi.advanceTimersByTime(cookieMs / 2);
      await settle();
    }
    expect(renewals()).toEqual([]);
  });

  test.each([
    ["a cookie that lasts as long as the browser", live()],
    ["a guest", guest],
  ])("is not for %s", async (_what, answer) => {
    await act(openLive(answer));
    expect(renewals()).toEqual([]);
  });

  test("is not without routes", async () => {
    const tab = openTab();
    tab.socket.welcome(live({ cookieMs }));
    await act(tab);
    expect(renewals()).toEqual([]);
  });

  test("is not right after a login, whose response has set the cookie", async () => {
    const tab = openTab({ routes: "/session" });
    void tab.session.loggedIn();
    tab.socket.welcome(live({ cookieMs }));
    await act(tab);
    expect(renewals()).toEqual([]);
  });

  test("has its answer applied", async () => {
    const tab = openLive(live({ cookieMs, leftMs: 1_000 }));
    routes.answer = live({ cookieMs, leftMs: cookieMs });
    await act(tab);
    expect(tab.session.leftMs).toBe(cookieMs);
  });

  test("has its answer ignored if the socket has got a newer state", async () => {
    const tab = openLive();
    const { promise, resolve } = Promise.withResolvers<void>();
    routes.held = promise;
    await act(tab);
    tab.socket.receive(stateEvent, live({ cookieMs, data: { name: "grace" } }));
    resolve();
    await settle();
    expect(tab.session.getSnapshot().data).toEqual({ name: "grace" });
  });

  test.each([["a proxy"], ["unreachable"], ["STORE_UNAVAILABLE"], ["SESSION_ENDED"]] as const)(
    "that fails by %s is tried again later, not at each event",
    async (answer) => {
      const tab = openLive();
      routes.answer = answer;
      for (let n = 0; n < 5; n++) await act(tab);
      expect(renewals()).toHaveLength(1);
      vi.advanceTimersByTime(cookieMs / 8);
      await act(tab);
      expect(renewals()).toHaveLength(2);
      expect(tab.states).toEqual(["connecting", "live"]);
    },
  );

  test.each([[-1], [1], [0.001]])(
    "of a cookie that lives for %d ms comes once a second, not with each event",
    async (shortMs) => {
      const tab = openLive(live({ cookieMs: shortMs }));
      routes.answer = live({ cookieMs: shortMs });
      for (let n = 0; n < 10; n++) {
        await act(tab);
        vi.advanceTimersByTime(100);
      }
      expect(renewals()).toHaveLength(1);
    },
  );

  test("is due if the clock was set back, so that the cookie's age can't be known", async () => {
    const tab = openLive();
    await act(tab);
    vi.setSystemTime(Date.now() - cookieMs);
    await act(tab);
    expect(renewals()).toHaveLength(2);
  });
});

describe("five tabs", () => {
  const withoutOne = [["navigator"], ["localStorage"], ["BroadcastChannel"], []];

  test.each(withoutOne)("make one renewal per period, even without %s", async (...without) => {
    browser.install({ without });
    const tabs = Array.from({ length: 5 }, () => openLive());
    for (let period = 1; period <= 3; period++) {
      for (let n = 0; n < 3; n++) for (const tab of tabs) await act(tab);
      expect(renewals()).toEqual(Array(period).fill(renewed));
      vi.advanceTimersByTime(cookieMs / 2);
    }
  });

  test("that act at the same moment make one", async () => {
    const tabs = Array.from({ length: 5 }, () => openLive());
    for (const { socket } of tabs) socket.emit("message");
    await settle();
    expect(renewals()).toEqual([renewed]);
  });

  test("make one each where they can share nothing", async () => {
    browser.install({ without: ["navigator", "localStorage", "BroadcastChannel"] });
    const tabs = Array.from({ length: 5 }, () => openLive());
    for (let n = 0; n < 3; n++) for (const tab of tabs) await act(tab);
    expect(renewals()).toHaveLength(5);
  });

  test("opened one after another make one", async () => {
    for (let n = 0; n < 5; n++) {
      const tab = openLive();
      await act(tab);
      tab.session.close();
    }
    expect(renewals()).toEqual([renewed]);
  });

  test("are not fooled by a time to come", async () => {
    browser.storage.set("socket-session:/session", String(Date.now() + cookieMs));
    await act(openLive());
    expect(renewals()).toEqual([renewed]);
    browser.storage.set("socket-session:/session", "soon");
    vi.advanceTimersByTime(cookieMs / 2);
    await act(openLive());
    expect(renewals()).toEqual([renewed, renewed]);
  });
});

describe("stay()", () => {
  test("renews, whenever it is called, and has its answer applied", async () => {
    const { session, socket } = openLive();
    routes.answer = live({ cookieMs, leftMs: 2 * cookieMs });
    expect(await session.stay()).toBe(true);
    expect(await session.stay()).toBe(true);
    expect(renewals()).toEqual([renewed, renewed]);
    expect(session.leftMs).toBe(2 * cookieMs);
    socket.emit("message");
    await settle();
    expect(renewals()).toHaveLength(2); // the cookie was set
  });

  test("of a guest who has logged in elsewhere leaves the socket's state as it is", async () => {
    const { session } = openLive(guest);
    expect(await session.stay()).toBe(true);
    expect(session.getSnapshot()).toEqual({ state: "guest" });
  });

  test.each([["unreachable"], ["SESSION_ENDED"], ["STORE_UNAVAILABLE"]] as const)(
    "resolves to false if the server is %s",
    async (answer) => {
      const { session } = openLive();
      routes.answer = answer;
      expect(await session.stay()).toBe(false);
    },
  );
});
