/** The state of the page's session, by what happens to its socket. */
import { refusals } from "socket-session";
import { type SessionSnapshot, sessionClient } from "socket-session/client";
import { forbiddenEvent, stateEvent } from "socket-session/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeBrowser } from "./fake-browser.ts";
import { FakeSocket, guest, live } from "./fake-socket.ts";

/** What a promise or microtask that is due does. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** As long as a connected socket waits for its state. */
const momentMs = 1_000;

let socket: FakeSocket;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
  new FakeBrowser().install();
  socket = new FakeSocket();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A client, and the states that it went through. */
function follow() {
  const session = sessionClient<{ name: string }>(socket);
  const states: string[] = [session.getSnapshot().state];
  const seen: SessionSnapshot[] = [];
  session.subscribe(() => {
    states.push(session.getSnapshot().state);
    seen.push(session.getSnapshot());
  });
  return { session, states, seen };
}

describe("the snapshot", () => {
  test("is connecting at first, then live with what the server shares", () => {
    const { session, states } = follow();
    socket.welcome(live());
    expect(states).toEqual(["connecting", "live"]);
    expect(session.getSnapshot()).toEqual({
      state: "live",
      publicId: "a".repeat(22),
      data: { name: "ada" },
      expiresAt: Date.now() + 3_600_000,
    });
  });

  test("is there for whoever looks late, and is frozen", () => {
    const { session } = follow();
    socket.welcome(live());
    expect(session.getSnapshot().data?.name).toBe("ada");
    expect(Object.isFrozen(session.getSnapshot())).toBe(true);
  });

  test("is the same object until something changes", async () => {
    const { session, seen } = follow();
    const first = session.getSnapshot();
    expect(session.getSnapshot()).toBe(first);
    socket.welcome(live());
    const second = session.getSnapshot();
    socket.receive(stateEvent, live({ leftMs: 3_600_010 })); // an answer that was faster
    expect(session.getSnapshot()).toBe(second);
    expect(seen).toEqual([second]);
  });

  test("has the same data if only the deadline has moved", () => {
    const { session } = follow();
    socket.welcome(live());
    const { data, expiresAt } = session.getSnapshot();
    vi.advanceTimersByTime(60_000);
    socket.receive(stateEvent, live());
    expect(session.getSnapshot().data).toBe(data);
    expect(session.getSnapshot().expiresAt).toBe((expiresAt ?? 0) + 60_000);
  });

  test("follows the data", () => {
    const { session, states } = follow();
    socket.welcome(live());
    socket.receive(stateEvent, live({ data: { name: "grace" } }));
    expect(session.getSnapshot().data).toEqual({ name: "grace" });
    expect(states).toEqual(["connecting", "live", "live"]);
  });

  test("is live for a server that shares nothing, if no state comes", () => {
    const { session, states } = follow();
    socket.welcome();
    vi.advanceTimersByTime(momentMs);
    expect(states).toEqual(["connecting", "live"]);
    expect(session.getSnapshot()).toEqual({ state: "live" });
    expect(session.leftMs).toBeUndefined();
  });

  test("is not live before a state that is a slow round trip behind the connection", () => {
    const { states } = follow();
    socket.welcome();
    vi.advanceTimersByTime(momentMs - 1);
    socket.receive(stateEvent, guest);
    vi.advanceTimersByTime(momentMs);
    expect(states).toEqual(["connecting", "guest"]);
  });

  test("is never live for a guest", () => {
    const { states } = follow();
    socket.welcome(guest);
    vi.advanceTimersByTime(momentMs);
    expect(states).toEqual(["connecting", "guest"]);
  });

  test.each([[undefined], [null], ["live"], [{ state: "owner" }], [{ state: ["live"] }], [[]]])(
    "ignores the state %j",
    (message) => {
      const { states } = follow();
      socket.receive(stateEvent, message);
      expect(states).toEqual(["connecting"]);
    },
  );

  test("survives a message whose fields are of other types", () => {
    const { session } = follow();
    socket.welcome(live());
    socket.receive(stateEvent, { state: "live", publicId: 1, leftMs: "soon", cookieMs: {} });
    expect(session.getSnapshot()).toEqual({ state: "live" });
    expect(session.leftMs).toBeUndefined();
  });
});

describe("a refusal", () => {
  const helps = {
    SESSION_REQUIRED: "login",
    SESSION_INVALID: "login",
    SESSION_ENDED: "login",
    TICKET_INVALID: "retry",
    STORE_UNAVAILABLE: "retry",
    ORIGIN_REFUSED: "stop",
    COOKIE_MISMATCH: "retry",
    COOKIE_MISSING: "retry",
    JSONP_REFUSED: "stop",
    TRANSPORT_REFUSED: "stop",
    TOO_MANY_SOCKETS: "stop",
    BAD_REQUEST: "stop",
  } satisfies Record<keyof typeof refusals, string>;

  test.each(Object.entries(helps))("as %s is helped by: %s", async (code, help) => {
    const { session, states } = follow();
    socket.refuse({ code }, refusals[code as keyof typeof refusals].meaning);
    await turn();
    expect(states).toEqual(["connecting", "refused"]);
    const { meaning: message } = refusals[code as keyof typeof refusals];
    expect(session.getSnapshot()).toEqual({ state: "refused", code, help, message });
  });

  test.each([
    [{ code: "BANNED" }, "BANNED"],
    [{ code: 7 }, undefined],
    [undefined, undefined],
    ["no", undefined],
  ])("of the application, with the data %j, is a stop", async (data, code) => {
    const { session } = follow();
    socket.refuse(data, "go away");
    await turn();
    expect(session.getSnapshot()).toEqual({ state: "refused", code, help: "stop", message: "go away" });
  });

  test("by HTTP is read from the answer, and over once the client gets in", () => {
    const { session, states } = follow();
    socket.fail(JSON.stringify({ code: 4, message: "…", data: { code: "STORE_UNAVAILABLE" } }));
    expect(session.getSnapshot()).toEqual({ state: "refused", code: "STORE_UNAVAILABLE", help: "retry" });
    socket.welcome(live());
    expect(states).toEqual(["connecting", "refused", "live"]);
  });

  test.each([["<h1>502</h1>"], [undefined], ["{}"], ["null"]])(
    "by another, with the answer %j, is a loss",
    (answer) => {
      const { states } = follow();
      socket.fail(answer);
      expect(states).toEqual(["connecting", "lost"]);
    },
  );

  test("is no refusal if another listener connects again, such as with another ticket", async () => {
    const { states } = follow();
    socket.on("connect_error", () => socket.connect());
    socket.refuse({ code: "TICKET_INVALID" });
    await turn();
    socket.welcome(live());
    expect(states).toEqual(["connecting", "live"]);
  });

  test("is emitted once for each", async () => {
    const { session } = follow();
    const refused: unknown[] = [];
    session.on("refused", ({ code }) => refused.push(code));
    const down = JSON.stringify({ data: { code: "STORE_UNAVAILABLE" } });
    socket.fail(down);
    socket.fail(down);
    socket.refuse({ code: "SESSION_ENDED" });
    await turn();
    expect(refused).toEqual(["STORE_UNAVAILABLE", "SESSION_ENDED"]);
  });
});

describe("a loss", () => {
  test("keeps what is known of the session, and ends with the connection", () => {
    const { session, states } = follow();
    socket.welcome(live());
    const before = session.getSnapshot();
    socket.lose();
    expect(session.getSnapshot()).toEqual({ ...before, state: "lost" });
    socket.fail();
    socket.welcome(live());
    expect(states).toEqual(["connecting", "live", "lost", "live"]);
  });

  test("after a refusal or an end does not carry what that said", async () => {
    for (const happen of [
      () => socket.refuse({ code: "SESSION_REQUIRED" }),
      () => socket.dismiss({ reason: "expired", message: "bye" }),
    ]) {
      const { session } = follow();
      happen();
      await turn();
      socket.connect();
      socket.fail();
      expect(session.getSnapshot()).toEqual({ state: "lost" });
    }
  });

  test("before the state has come is no life", () => {
    const { states } = follow();
    socket.welcome();
    socket.lose();
    vi.advanceTimersByTime(momentMs);
    expect(states).toEqual(["connecting", "lost"]);
  });

  test("is none if the application disconnects", () => {
    const { states } = follow();
    socket.welcome(live());
    socket.disconnect();
    expect(states).toEqual(["connecting", "live", "connecting"]);
  });
});

describe("an end", () => {
  test("has its reason and message; the client stays away", () => {
    const { session, states } = follow();
    const ends: unknown[] = [];
    session.on("end", (end) => ends.push(end));
    socket.welcome(live());
    socket.dismiss({ reason: "revoked", message: "by an admin" });
    expect(session.getSnapshot()).toEqual({ state: "ended", reason: "revoked", message: "by an admin" });
    expect(ends).toEqual([session.getSnapshot()]);
    expect(states).toEqual(["connecting", "live", "ended"]);
    expect(session.leftMs).toBeUndefined();
    vi.advanceTimersByTime(3_600_000);
    expect(socket.calls).toEqual([]);
  });

  test.each([[{ reason: 1, message: {} }], ["destroyed"], [null]])("survives the message %j", (message) => {
    const { session } = follow();
    socket.welcome(live());
    socket.dismiss(Object(message));
    expect(session.getSnapshot()).toEqual({ state: "ended" });
  });

  test.each([
    ["by the server", () => socket.dismiss({ reason: "expired" }), () => {}],
    ["by loggedOut()", () => {}, (session: ReturnType<typeof sessionClient>) => session.loggedOut()],
    [
      "by loggedOut() during a loss",
      () => socket.lose(),
      (session: ReturnType<typeof sessionClient>) => session.loggedOut(),
    ],
  ])("%s lets its listener connect the socket again, as a guest", (_how, happen, call) => {
    const { session, states } = follow();
    session.on("end", () => socket.connect());
    socket.welcome(live());
    happen();
    call(session);
    expect(socket.calls.at(-1)).toBe("connect");
    expect(socket.active).toBe(true);
    socket.welcome(guest);
    expect(states.slice(-2)).toEqual(["ended", "guest"]);
  });

  test("is one even if the connection is lost before the server has disconnected the socket", () => {
    const { session } = follow();
    socket.welcome(live());
    socket.receive("session:end", { reason: "destroyed", message: "bye" });
    socket.lose();
    expect(session.getSnapshot()).toEqual({ state: "ended", reason: "destroyed", message: "bye" });
  });

  test("is no longer one once the application connects again, and that connection is lost", () => {
    const { states } = follow();
    socket.welcome(live());
    socket.dismiss({ reason: "destroyed" });
    socket.connect();
    socket.welcome();
    socket.lose();
    expect(states).toEqual(["connecting", "live", "ended", "lost"]);
  });

  test("has no reason if the server just disconnects", () => {
    const { session } = follow();
    socket.welcome(live());
    socket.dismiss();
    expect(session.getSnapshot()).toEqual({ state: "ended" });
  });
});

describe("a new id", () => {
  const replace = () => socket.receive("session:end", { reason: "replaced" });

  test("has the client connect again at once, and is no end", () => {
    const { states } = follow();
    socket.welcome(live());
    replace();
    expect(socket.calls).toEqual(["disconnect", "close", "connect"]);
    socket.welcome(live({ publicId: "b".repeat(22) }));
    expect(states).toEqual(["connecting", "live", "connecting", "live"]);
  });

  test.each([
    ["refused", () => socket.refuse({ code: "SESSION_ENDED" })],
    ["a guest", () => socket.welcome(guest)],
  ])(
    "whose cookie comes later than the client, which is %s, has it try once more",
    async (_outcome, answer) => {
      const { session, states } = follow();
      socket.welcome(live());
      replace();
      answer();
      await turn();
      socket.calls.length = 0;
      vi.advanceTimersByTime(momentMs);
      expect(socket.calls).toEqual(["disconnect", "close", "connect"]);
      expect(states).toEqual(["connecting", "live", "connecting"]);
      answer();
      await turn();
      vi.advanceTimersByTime(momentMs);
      expect(session.getSnapshot().state).toMatch(/refused|guest/);
    },
  );
});

test("a new id that was waiting for the connection is no life", () => {
  const { states } = follow();
  socket.connected = true;
  socket.receive("session:end", { reason: "replaced" }); // the stock client keeps messages until it emits `connect`
  socket.receive("connect");
  vi.advanceTimersByTime(momentMs);
  expect(states).toEqual(["connecting"]);
});

test("a new id whose second attempt the application forestalls has no third", async () => {
  const { states } = follow();
  socket.welcome(live());
  socket.receive("session:end", { reason: "replaced" });
  socket.refuse({ code: "SESSION_ENDED" });
  await turn();
  socket.connect();
  socket.welcome(live());
  socket.calls.length = 0;
  vi.advanceTimersByTime(2 * momentMs);
  expect(socket.calls).toEqual([]);
  expect(states).toEqual(["connecting", "live", "connecting", "live"]);
});

describe("a rule that no longer holds", () => {
  test("for a room leaves the session as it is", () => {
    const { session, states } = follow();
    const forbidden: unknown[] = [];
    session.on("forbidden", (message) => forbidden.push(message));
    socket.welcome(live());
    socket.receive(forbiddenEvent, { code: "SESSION_FORBIDDEN", room: "admins" });
    expect(forbidden).toEqual([{ code: "SESSION_FORBIDDEN", room: "admins" }]);
    expect(states).toEqual(["connecting", "live"]);
  });

  test("for the namespace is a refusal", () => {
    const { session } = follow();
    socket.welcome(live());
    socket.receive(forbiddenEvent, { code: "NOT_ADMIN", namespace: "/admin" });
    socket.dismiss();
    expect(session.getSnapshot()).toEqual({ state: "refused", code: "NOT_ADMIN", help: "stop" });
  });

  test("is no reason for what happens later", () => {
    const { session } = follow();
    socket.welcome(live());
    socket.receive(forbiddenEvent, { code: "NOT_ADMIN", room: "admins" });
    socket.dismiss();
    expect(session.getSnapshot().state).toBe("ended");
    socket.welcome(live());
    socket.receive(forbiddenEvent, { code: "NOT_ADMIN", namespace: "/admin" });
    socket.dismiss();
    socket.welcome(live());
    socket.dismiss();
    expect(session.getSnapshot().state).toBe("ended");
  });

  test.each([[null], [{ code: 1 }], ["x"]])("ignores the message %j", (message) => {
    const { session } = follow();
    const forbidden = vi.fn();
    session.on("forbidden", forbidden);
    socket.receive(forbiddenEvent, message);
    expect(forbidden).not.toHaveBeenCalled();
  });
});

describe("loggedIn()", () => {
  test("connects again whatever the state, and resolves with the outcome", async () => {
    const { session } = follow();
    socket.welcome(guest);
    const outcome = session.loggedIn();
    expect(session.getSnapshot().state).toBe("connecting");
    expect(socket.calls).toEqual(["disconnect", "close", "connect"]);
    socket.welcome(live());
    expect(await outcome).toBe(session.getSnapshot());
    expect((await outcome).state).toBe("live");
  });

  test.each([
    ["ended", () => socket.dismiss({ reason: "expired" })],
    ["refused", () => socket.refuse({ code: "SESSION_REQUIRED" })],
    ["lost", () => socket.lose()],
  ])("leaves %s", async (state, happen) => {
    const { session, states } = follow();
    happen();
    await turn();
    expect(states.at(-1)).toBe(state);
    const outcome = session.loggedIn();
    socket.welcome(live());
    expect((await outcome).state).toBe("live");
    expect(states).toEqual(["connecting", state, "connecting", "live"]);
  });

  test("waits through a loss, and resolves at a refusal", async () => {
    const { session } = follow();
    const outcome = session.loggedIn();
    socket.fail();
    socket.refuse({ code: "SESSION_ENDED" });
    expect((await outcome).code).toBe("SESSION_ENDED");
  });

  test("resolves if the client is closed", async () => {
    const { session } = follow();
    const outcome = session.loggedIn();
    session.close();
    expect((await outcome).state).toBe("connecting");
  });
});

describe("close()", () => {
  test("removes all, leaves the socket as it is, and stops every change", async () => {
    const { session, states } = follow();
    socket.welcome(live({ leftMs: 70_000 }));
    session.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(socket.listeners).toBe(0);
    expect(socket.calls).toEqual([]);
    expect(socket.connected).toBe(true);
    expect(states).toEqual(["connecting", "live"]);
    session.close(); // twice does no harm
  });

  test("right after a new id stops the second attempt", async () => {
    const { session } = follow();
    socket.welcome(live());
    socket.receive("session:end", { reason: "replaced" });
    socket.refuse({ code: "SESSION_ENDED" });
    session.close();
    await turn();
    socket.calls.length = 0;
    vi.advanceTimersByTime(momentMs);
    expect(socket.calls).toEqual([]);
  });
});

describe("listeners", () => {
  test("are removed by what on() and subscribe() return, each its own", () => {
    const { session } = follow();
    const listener = vi.fn();
    const remove = session.on("change", listener);
    session.subscribe(listener);
    remove();
    remove();
    socket.welcome(live());
    expect(listener).toHaveBeenCalledTimes(1);
  });

  test("of an end get that end, also if a listener of the change has logged in again", () => {
    const { session, states } = follow();
    socket.welcome(live());
    session.on("change", ({ state }) => {
      if (state === "ended") void session.loggedIn();
    });
    const ends: string[] = [];
    session.on("end", ({ state }) => ends.push(state));
    socket.dismiss({ reason: "destroyed" });
    expect(ends).toEqual(["ended"]);
    expect(session.getSnapshot().state).toBe("connecting");
    expect(states).toContain("connecting");
  });

  test("that throw stop neither others nor the client", async () => {
    const { session, states } = follow();
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const reported = new Promise((resolve) => process.once("uncaughtException", resolve));
    session.on("change", () => {
      throw new Error("of a listener");
    });
    const later = vi.fn();
    session.on("change", later);
    socket.welcome(live());
    expect(await reported).toMatchObject({ message: "of a listener" });
    for (const other of others) process.on("uncaughtException", other);
    expect(later).toHaveBeenCalledTimes(1);
    expect(states).toEqual(["connecting", "live"]);
  });
});

describe("stay() without routes", () => {
  test("sends an event, which is activity", async () => {
    const { session } = follow();
    expect(await session.stay()).toBe(false);
    socket.welcome(live());
    expect(await session.stay()).toBe(true);
    expect(socket.calls).toEqual(["emit session:stay"]);
  });
});

describe("arguments", () => {
  test.each([
    [undefined, {}],
    [{}, {}],
    [new FakeSocket(), { routes: 1 }],
    [new FakeSocket(), { routes: "" }],
    [new FakeSocket(), { routes: "/session/" }],
    [new FakeSocket(), { warnMs: "60s" }],
    [new FakeSocket(), { warnMs: -1 }],
  ])("%s with %j are refused", (wrong, options) => {
    expect(() => Reflect.apply(sessionClient, undefined, [wrong, options])).toThrow(
      /^Expected sessionClient\(io\(\), \{ routes: "\/session", warnMs: 60000 \}\), got /,
    );
  });
});
