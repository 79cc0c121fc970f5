/** The time left: by the page's own clock, be it wrong, set, or of a computer that slept. */
import type { SessionClientOptions } from "socket-session/client";
import { stateEvent } from "socket-session/protocol";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { FakeBrowser } from "./fake-browser.ts";
import type { FakeRoutes } from "./fake-routes.ts";
import { live } from "./fake-socket.ts";
import { fakePage, openTab, removePage, settle } from "./tab.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

let browser: FakeBrowser;
let routes: FakeRoutes;
beforeEach(() => {
  ({ browser, routes } = fakePage());
});
afterEach(removePage);

/** While the computer sleeps, its monotonic time and its timers stand still. The same if its clock is set. */
const jump = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe("leftMs", () => {
  test("counts down to 0", () => {
    const { session, socket } = openTab();
    expect(session.leftMs).toBeUndefined();
    socket.welcome(live({ leftMs: hour }));
    vi.advanceTimersByTime(10 * minute);
    expect(session.leftMs).toBe(50 * minute);
    vi.advanceTimersByTime(hour);
    expect(session.leftMs).toBe(0);
  });

  test("goes on in a loss", () => {
    const { session, socket } = openTab();
    socket.welcome(live({ leftMs: hour }));
    socket.lose();
    vi.advanceTimersByTime(minute);
    expect(session.leftMs).toBe(59 * minute);
  });

  test.each([-400 * day, 400 * day])(
    "is right with a clock that is wrong by %i ms, as is expiresAt",
    (wrong) => {
      jump(wrong);
      const { session, socket } = openTab();
      socket.welcome(live({ leftMs: hour }));
      expect(session.leftMs).toBe(hour);
      expect(session.getSnapshot().expiresAt).toBe(Date.now() + hour);
    },
  );

  test("is right at once after a sleep, and asks the server", async () => {
    const { session, socket } = openTab({ routes: "/session" });
    socket.welcome(live({ leftMs: hour }));
    jump(50 * minute);
    expect(session.leftMs).toBe(10 * minute);
    routes.answer = live({ leftMs: 9 * minute });
    await settle();
    expect(routes.asked).toEqual(["GET /session/state"]);
    expect(session.leftMs).toBe(9 * minute);
    expect(session.getSnapshot().expiresAt).toBe(Date.now() + 9 * minute);
  });

  test("is right after the clock was set ahead, once the server has answered", async () => {
    const { session, socket } = openTab({ routes: "/session" });
    socket.welcome(live({ leftMs: hour }));
    routes.answer = live({ leftMs: hour });
    jump(2 * hour);
    expect(session.leftMs).toBe(0);
    await settle();
    expect(session.leftMs).toBe(hour);
    expect(session.getSnapshot().expiresAt).toBe(Date.now() + hour);
  });

  test("is right after the clock was set back", async () => {
    const { session, socket } = openTab({ routes: "/session" });
    socket.welcome(live({ leftMs: hour }));
    routes.answer = live({ leftMs: hour });
    jump(-2 * hour);
    expect(session.leftMs).toBe(hour);
    await settle();
    expect(session.getSnapshot().expiresAt).toBe(Date.now() + hour);
  });

  test("asks once for each sleep", async () => {
    const { session, socket } = openTab({ routes: "/session" });
    socket.welcome(live({ leftMs: hour }));
    jump(10 * minute);
    for (let n = 0; n < 3; n++) expect(session.leftMs).toBe(50 * minute);
    await settle();
    expect(routes.asked).toHaveLength(1);
  });
});

describe("the visitor who is back", () => {
  const comeBack = {
    "to the window": () => browser.emit("focus"),
    "to the tab, frozen or not": () => browser.document.dispatchEvent(new Event("visibilitychange")),
  };

  test.each(Object.entries(comeBack))("%s after a night has the server asked", async (_where, come) => {
    const { socket } = openTab({ routes: "/session" });
    socket.welcome(live({ leftMs: 30 * day }));
    jump(10 * hour);
    come();
    await settle();
    expect(routes.asked).toEqual(["GET /session/state"]);
  });

  test("has nothing asked if the computer was awake", async () => {
    const { socket } = openTab({ routes: "/session" });
    socket.welcome(live({ leftMs: 30 * day }));
    vi.advanceTimersByTime(10 * hour);
    for (const come of Object.values(comeBack)) come();
    await settle();
    expect(routes.asked).toEqual([]);
  });

  test("has the socket connected again if there are no routes to ask", async () => {
    const { socket } = openTab();
    socket.welcome(live({ leftMs: 30 * day }));
    jump(10 * hour);
    browser.emit("focus");
    await settle();
    expect(socket.calls).toEqual(["disconnect", "close", "connect"]);
  });

  test("of another session has the socket connected again", async () => {
    const { socket } = openTab({ routes: "/session" });
    socket.welcome(live());
    routes.answer = live({ publicId: "b".repeat(22) });
    jump(hour);
    browser.emit("focus");
    await settle();
    expect(socket.calls).toEqual(["disconnect", "close", "connect"]);
  });

  test("who closes the client before the answer has the socket left alone", async () => {
    const [one, other] = [openTab({ routes: "/session" }), openTab()];
    for (const { socket } of [one, other]) socket.welcome(live());
    routes.answer = live({ publicId: "b".repeat(22) });
    jump(hour);
    browser.emit("focus");
    for (const { session } of [one, other]) session.close();
    await settle();
    for (const { socket } of [one, other]) expect(socket.calls).toEqual([]);
  });

  test("of no session has nothing done: the socket learns it", async () => {
    const { socket, states } = openTab({ routes: "/session" });
    socket.welcome(live());
    for (const answer of ["SESSION_REQUIRED", "STORE_UNAVAILABLE", "unreachable", "a proxy"] as const) {
      routes.answer = answer;
      jump(hour);
      browser.emit("focus");
      await settle();
    }
    expect(routes.asked).toHaveLength(4);
    expect(socket.calls).toEqual([]);
    expect(states).toEqual(["connecting", "live"]);
  });

  test("after an answer that is older than what the socket got, sees the newer", async () => {
    const { session, socket } = openTab({ routes: "/session" });
    socket.welcome(live({ leftMs: hour }));
    routes.answer = live({ leftMs: minute, data: { name: "old" } });
    const { promise, resolve } = Promise.withResolvers<void>();
    routes.held = promise;
    jump(10 * minute);
    browser.emit("focus");
    await settle();
    expect(routes.asked).toHaveLength(1);
    socket.receive(stateEvent, live({ leftMs: 2 * hour, data: { name: "new" } }));
    resolve();
    await settle();
    expect(session.getSnapshot().data).toEqual({ name: "new" });
    expect(session.leftMs).toBe(2 * hour);
  });
});

describe("expiring", () => {
  function warned(options: SessionClientOptions = {}) {
    const tab = openTab(options);
    const warnings: number[] = [];
    tab.session.on("expiring", (leftMs) => warnings.push(leftMs));
    return { ...tab, warnings };
  }

  test("warns a minute ahead, once for each deadline", async () => {
    const { socket, warnings } = warned();
    socket.welcome(live({ leftMs: hour }));
    await vi.advanceTimersByTimeAsync(59 * minute - 1);
    expect(warnings).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(warnings).toEqual([minute]);
    socket.receive(stateEvent, live({ leftMs: minute })); // the same deadline, with other data
    await vi.advanceTimersByTimeAsync(hour);
    expect(warnings).toEqual([minute]);
    socket.receive(stateEvent, live({ leftMs: hour }));
    await vi.advanceTimersByTimeAsync(hour);
    expect(warnings).toEqual([minute, minute]);
  });

  test("warns warnMs ahead, and at once if less is left", async () => {
    const { socket, warnings } = warned({ warnMs: 10 * minute });
    socket.welcome(live({ leftMs: 3 * minute }));
    await vi.advanceTimersByTimeAsync(0);
    expect(warnings).toEqual([3 * minute]);
  });

  test("does not warn of a deadline that has moved", async () => {
    const { socket, warnings } = warned();
    socket.welcome(live({ leftMs: hour }));
    for (let n = 0; n < 10; n++) {
      await vi.advanceTimersByTimeAsync(50 * minute);
      socket.receive(stateEvent, live({ leftMs: hour }));
    }
    expect(warnings).toEqual([]);
  });

  test("warns of a session that ends in 60 days, which no timer can wait for", async () => {
    const { socket, warnings } = warned();
    socket.welcome(live({ leftMs: 60 * day }));
    await vi.advanceTimersByTimeAsync(60 * day - minute - 1);
    expect(warnings).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(warnings).toEqual([minute]);
  });

  test("does not warn of a session that has no end, or is over", async () => {
    const { socket, warnings } = warned();
    socket.welcome(live({ leftMs: 8.64e15 }));
    await vi.advanceTimersByTimeAsync(400 * day);
    socket.receive(stateEvent, live({ leftMs: hour }));
    socket.dismiss({ reason: "destroyed" });
    await vi.advanceTimersByTimeAsync(2 * hour);
    expect(warnings).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("warns after a sleep that the timer has slept through, also without an answer", async () => {
    const { session, socket, warnings } = warned({ routes: "/session" });
    socket.welcome(live({ leftMs: hour }));
    jump(59.5 * minute);
    browser.emit("focus");
    await vi.advanceTimersByTimeAsync(0);
    await settle();
    expect(warnings).toEqual([minute / 2]);
    expect(session.leftMs).toBe(minute / 2);
  });

  test("asks the server first, as another node may have extended the session", async () => {
    const { session, socket, warnings } = warned({ routes: "/session" });
    socket.welcome(live({ leftMs: hour }));
    routes.answer = live({ leftMs: 2 * hour });
    await vi.advanceTimersByTimeAsync(59 * minute);
    await settle();
    expect(routes.asked).toEqual(["GET /session/state"]);
    expect(warnings).toEqual([]);
    expect(session.leftMs).toBe(2 * hour);
    routes.answer = live({ leftMs: minute });
    await vi.advanceTimersByTimeAsync(2 * hour - minute);
    await settle();
    expect(warnings).toEqual([minute]);
  });

  test("warns all the same if the server does not answer in time", async () => {
    const outOfTime = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(outOfTime.signal);
    onTestFinished(() => timeout.mockRestore());
    const { socket, warnings } = warned({ routes: "/session" });
    socket.welcome(live({ leftMs: hour }));
    routes.held = new Promise(() => {});
    await vi.advanceTimersByTimeAsync(59 * minute);
    await settle();
    expect(warnings).toEqual([]);
    outOfTime.abort();
    await settle();
    expect(warnings).toEqual([minute]);
  });

  test.each([["unreachable"], ["STORE_UNAVAILABLE"]] as const)(
    "warns all the same if the server is %s",
    async (answer) => {
      const { socket, warnings } = warned({ routes: "/session" });
      socket.welcome(live({ leftMs: hour }));
      routes.answer = answer;
      await vi.advanceTimersByTimeAsync(59 * minute);
      await settle();
      expect(warnings).toEqual([minute]);
    },
  );
});
