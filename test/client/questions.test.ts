/** What the page asks over HTTP where the socket can't say it. */
import { stateEvent } from "socket-session/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FakeRoutes } from "./fake-routes.ts";
import { FakeSocket, guest, live } from "./fake-socket.ts";
import { fakePage, openTab, removePage, settle } from "./tab.ts";

let routes: FakeRoutes;
beforeEach(() => {
  ({ routes } = fakePage());
});
afterEach(removePage);

describe("why the page is not let in, if the browser does not show it", () => {
  test.each([
    ["STORE_UNAVAILABLE", "retry"],
    ["ORIGIN_REFUSED", "stop"],
  ] as const)("is asked once per outage: %s", async (code, help) => {
    const { session, socket } = openTab({ routes: "/session" });
    routes.answer = code;
    for (let n = 0; n < 3; n++) {
      socket.fail();
      await settle();
      expect(session.getSnapshot()).toMatchObject({ state: "refused", code, help });
    }
    expect(routes.asked).toEqual(["GET /session/state"]);
    socket.welcome(live());
    socket.lose();
    socket.fail();
    await settle();
    expect(routes.asked).toHaveLength(2);
    expect(session.getSnapshot()).toMatchObject({ state: "refused", code, help });
  });

  test.each([["SESSION_ENDED"], ["unreachable"], ["a proxy"]] as const)("is not %s", async (answer) => {
    const { socket, states } = openTab({ routes: "/session" });
    routes.answer = answer;
    socket.fail();
    await settle();
    expect(states).toEqual(["connecting", "lost"]);
  });

  test("is asked again, and the page lost again, after a login during the outage", async () => {
    const { session, socket, states } = openTab({ routes: "/session" });
    socket.fail();
    void session.loggedIn();
    socket.fail();
    await settle();
    expect(routes.asked).toHaveLength(2);
    expect(states).toEqual(["connecting", "lost", "connecting", "lost"]);
  });

  test("is not asked if the browser shows it, or without routes", async () => {
    const one = openTab({ routes: "/session" });
    one.socket.fail(JSON.stringify({ data: { code: "STORE_UNAVAILABLE" } }));
    openTab().socket.fail();
    await settle();
    expect(routes.asked).toEqual([]);
  });

  test("does not matter any more once the page is in", async () => {
    const { socket, states } = openTab({ routes: "/session" });
    routes.answer = "STORE_UNAVAILABLE";
    socket.fail();
    socket.welcome(live());
    await settle();
    expect(states).toEqual(["connecting", "lost", "live"]);
  });
});

describe("a client of a socket that was there before", () => {
  function connectedSocket(): FakeSocket {
    const socket = new FakeSocket();
    socket.io.engine = {};
    socket.welcome();
    return socket;
  }

  function refusedSocket(): FakeSocket {
    const socket = new FakeSocket();
    socket.io.engine = {};
    socket.refuse({ code: "SESSION_REQUIRED" });
    return socket;
  }

  test.each([
    ["live", live(), "live"],
    ["a guest", guest, "guest"],
    ["without a cookie", "SESSION_REQUIRED", "live"],
    ["unreachable", "unreachable", "live"],
  ] as const)("asks for the state: %s", async (_name, answer, state) => {
    routes.answer = answer;
    const { states } = openTab({ routes: "/session" }, connectedSocket());
    await settle();
    vi.advanceTimersByTime(1_000);
    expect(routes.asked).toEqual(["GET /session/state"]);
    expect(states).toEqual(["connecting", state]);
  });

  test("takes what the socket says before the answer", async () => {
    routes.answer = guest;
    const { socket, states } = openTab({ routes: "/session" }, connectedSocket());
    socket.receive(stateEvent, live());
    await settle();
    expect(states).toEqual(["connecting", "live"]);
  });

  test("without routes waits for the state, which may be on its way, and is live else", async () => {
    const [one, other] = [openTab({}, connectedSocket()), openTab({}, connectedSocket())];
    await settle();
    one.socket.receive(stateEvent, guest);
    vi.advanceTimersByTime(1_000);
    expect(one.states).toEqual(["connecting", "guest"]);
    expect(other.states).toEqual(["connecting", "live"]);
  });

  test("asks why it was refused", async () => {
    routes.answer = "SESSION_REQUIRED";
    const { session } = openTab({ routes: "/session" }, refusedSocket());
    await settle();
    expect(session.getSnapshot()).toEqual({ state: "refused", code: "SESSION_REQUIRED", help: "login" });
  });

  test("that is closed before the answer stays as it was", async () => {
    routes.answer = live();
    const { session, states } = openTab({ routes: "/session" }, connectedSocket());
    session.close();
    await settle();
    expect(states).toEqual(["connecting"]);
    expect(session.getSnapshot().state).toBe("connecting");
    expect(session.leftMs).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("asks nothing if it has not been connected yet, or is connecting", async () => {
    const idle = new FakeSocket();
    idle.active = false;
    openTab({ routes: "/session" }, idle);
    openTab({ routes: "/session" });
    await settle();
    expect(routes.asked).toEqual([]);
  });
});
