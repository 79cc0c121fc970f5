import cluster from "node:cluster";
import session, { type CookieOptions } from "express-session";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const secret = "a secret of thirty-two characters";
const build = (options: Record<string, unknown>) =>
  liveSessions({ store: memoryStore(), secret, ...options } as never);

const cap = { max: 3, whenFull: "refuse" };
const userId = () => "ada";

describe("options", () => {
  test.each([
    ["resave: true", { resave: true }, "Remove `resave: true`"],
    ["no secret", { secret: undefined }, "32 random bytes"],
    ["an empty secret", { secret: "" }, "32 random bytes"],
    ["no secrets", { secret: [] }, "32 random bytes"],
    ["an empty one among secrets", { secret: ["good", ""] }, "32 random bytes"],
    ["no store", { store: undefined }, "`store` expects a session store; it was undefined"],
    ["not a store", { store: { get() {} } }, "any express-session store"],
    ["an empty name", { name: "" }, "the name of a cookie"],
    ["a userId that is no function", { userId: "id" }, "`userId` expects a function"],
    ["guests as a boolean", { guests: true }, '"refuse", "allow" or "create"'],
    [
      "a duration in words",
      { touchIntervalMs: "1m" },
      '`touchIntervalMs` expects milliseconds, 0 or more; it was "1m"',
    ],
    ["a negative duration", { rebindMs: -1 }, "milliseconds"],
    ["no duration at all", { ttlMs: 0 }, "milliseconds"],
    [
      "a size in words",
      { maxSessionBytes: "1 MiB" },
      "whole number of bytes, 1024 or more; it was a string of 5 characters",
    ],
    ["a size that holds no session", { maxSessionBytes: 100 }, "it was 100. Leave it out for 1048576"],
    ["no size at all", { maxSessionBytes: Number.POSITIVE_INFINITY }, "whole number of bytes"],
    ["a bound that is a number", { maxUnproven: 100 }, "`maxUnproven` expects an object of options"],
    ["a bound of nothing", { maxUnproven: { all: 0 } }, "a number of connections, 1 or more; it was 0"],
    ["a misspelt bound", { maxUnproven: { perAdress: 1 } }, "perAddress"],
    ["a cap without the user", { sessionsPerUser: cap }, "`sessionsPerUser` expects the `userId` option"],
    ["a cap of a number", { sessionsPerUser: 3, userId }, "`sessionsPerUser` expects an object of options"],
    ["a cap of nothing", { sessionsPerUser: { ...cap, max: 0 }, userId }, "a number of sessions, 1 or more"],
    ["a cap without a number", { sessionsPerUser: { whenFull: "refuse" }, userId }, "`sessionsPerUser.max`"],
    ["a cap of half a session", { sessionsPerUser: { ...cap, max: 1.5 }, userId }, "it was 1.5"],
    ["a cap without a policy", { sessionsPerUser: { max: 3 }, userId }, '"refuse" or "endOldest"'],
    [
      "a cap with another policy",
      { sessionsPerUser: { max: 3, whenFull: "endNewest" }, userId },
      'it was "endNewest"',
    ],
    [
      "a misspelt cap",
      { sessionsPerUser: { maximum: 3, whenFull: "refuse" }, userId },
      "has no option `maximum`",
    ],
    ["no sockets at all", { socketsPerSession: 0 }, "a number of sockets, 1 or more; it was 0"],
    ["sockets in words", { socketsPerSession: "20" }, "`socketsPerSession` expects a number of sockets"],
    ["sockets without end", { socketsPerSession: Number.POSITIVE_INFINITY }, "Leave it out for no limit"],
    ["a node without a name", { nodeName: "" }, "`nodeName` expects a name of 1 to 100 characters"],
    ["a number as a node's name", { nodeName: 1 }, "Leave it out for the host's name and the process id"],
    ["a node's name that is too long", { nodeName: "x".repeat(101) }, "`nodeName` expects"],
    ["half a character in a node's name", { nodeName: "\ud83d" }, "without halves of one"],
    ["no life time at all", { absoluteMs: 0 }, "`absoluteMs` expects milliseconds, 1 or more"],
    ["a life time without end", { absoluteMs: Number.POSITIVE_INFINITY }, "Leave it out for no limit"],
    ["a ticket without end", { ticketMs: Number.POSITIVE_INFINITY }, "milliseconds"],
    ["NaN", { revalidateIntervalMs: Number.NaN }, "milliseconds"],
  ])("%s: says what was expected, what came, and the cure", (_name, options, message) => {
    expect(() => build(options)).toThrow(message);
    try {
      build(options);
    } catch (error) {
      expect(error).toMatchObject({ code: "INVALID_OPTION", name: "SocketSessionError" });
      expect(String(error)).not.toContain(secret);
    }
  });

  test("no options at all", () => {
    expect(() => liveSessions(undefined as never)).toThrow("expects an object of options");
  });

  test("a cap on sessions is refused over a store that can't list them, with the cure", () => {
    const options = { sessionsPerUser: cap, userId };
    expect(() => build({ ...options, store: new session.MemoryStore() })).toThrow(
      expect.objectContaining({
        code: "STORE_UNSUPPORTED",
        message: expect.stringMatching(/the MemoryStore store has none. Use a store of this package/),
      }),
    );
    const without = Object.assign(memoryStore(), { listByUser: undefined });
    expect(() => build({ ...options, store: without })).toThrow("an index of users");
  });

  test("resave: false and secrets as Buffers are fine", async () => {
    await build({ resave: false, secret: [Buffer.from("a buffer")] }).close();
  });

  test("of() needs a request with a session", async () => {
    const sessions = build({});
    expect(() => sessions.of({} as never)).toThrow("Put sessions.express() before the route");
    await sessions.close();
  });
});

describe("warnings at the start", () => {
  let warn: ReturnType<typeof vi.spyOn>;
  beforeEach(() => {
    warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  });
  afterEach(() => {
    warn.mockRestore();
  });
  const codes = () => warn.mock.calls.map(([, options]: unknown[]) => (options as { code: string }).code);

  test("none for a good set-up", async () => {
    const sessions = build({ cookie: { path: "/" } });
    sessions.attach(new Server());
    await sessions.close();
    expect(codes()).toEqual([]);
  });

  test("a wrapped store says what it cannot promise", async () => {
    const sessions = build({ store: new session.MemoryStore() });
    expect(codes()).toEqual(["SOCKET_SESSION_LIMITED_STORE"]);
    expect(String(warn.mock.calls[0]?.[0])).toContain("revalidateIntervalMs");
    expect(String(warn.mock.calls[0]?.[0])).toContain("it keeps no tickets");
    await sessions.close();
  });

  test("none for a store that keeps no tickets, which stats() says", async () => {
    const without = Object.assign(memoryStore(), { putTicket: undefined, takeTicket: undefined });
    const limits = [];
    for (const store of [memoryStore(), without]) {
      const sessions = build({ store });
      limits.push(sessions.stats().store.limits);
      await sessions.close();
    }
    expect(limits).toEqual([[], [expect.stringMatching(/^it keeps no tickets/)]]);
    expect(codes()).toEqual([]);
  });

  test("memoryStore in a cluster's worker", async () => {
    const isWorker = vi.spyOn(cluster, "isWorker", "get").mockReturnValue(true);
    await build({}).close();
    isWorker.mockRestore();
    expect(codes()).toEqual(["SOCKET_SESSION_MEMORY_WORKERS"]);
  });

  test.each([
    ["/app", "/socket.io", true],
    ["/app", "/app/socket.io", false],
    ["/", "/socket.io", false],
    ["/socket.io", "/socket.io", false],
    ["/app", "/application/socket.io", true],
  ])("cookie.path %s with Socket.IO at %s", async (path, socketPath, warned) => {
    const sessions = build({ cookie: { path } });
    sessions.attach(new Server({ path: socketPath }));
    await sessions.close();
    expect(codes()).toEqual(warned ? ["SOCKET_SESSION_COOKIE_PATH"] : []);
  });

  test.each<[CookieOptions, boolean]>([
    [{ sameSite: "none" }, true],
    [{ sameSite: "none", secure: false }, true],
    [{ sameSite: "none", secure: true }, false],
    [{ sameSite: "none", secure: "auto" }, false],
    [{ sameSite: "lax" }, false],
  ])("a cookie that browsers drop: %o", async (cookie, warned) => {
    const sessions = build({ cookie });
    sessions.attach(new Server());
    await sessions.close();
    expect(codes()).toEqual(warned ? ["SOCKET_SESSION_COOKIE_SAME_SITE"] : []);
  });
});
