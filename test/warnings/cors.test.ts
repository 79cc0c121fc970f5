/** Pages of other origins have to be in Socket.IO's `cors` and in `origins`: the warnings about those that only `cors` lists. */
import { Server, type ServerOptions } from "socket.io";
import { type AttachOptions, type LiveSessionsOptions, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const page = "https://app.example";
const other = "https://other.example";

let warn: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(() => warn.mockRestore());

const warnings = () =>
  warn.mock.calls.map(([message, options]: unknown[]) => [
    String(Reflect.get(Object(options), "code")),
    String(message),
  ]);

type Setting = [
  name: string,
  origins: LiveSessionsOptions["origins"],
  io: Partial<ServerOptions>,
  attach?: AttachOptions | undefined,
];

async function attach([, origins, ioOptions, options = {}]: Setting): Promise<void> {
  const sessions = liveSessions({
    store: memoryStore(),
    secret: "a secret of thirty-two characters",
    ...(origins ? { origins } : {}),
  });
  const io = new Server(ioOptions);
  sessions.attach(io, options);
  await sessions.close();
}

const withCookies = (origin: unknown) => ({ cors: { origin, credentials: true } }) as Partial<ServerOptions>;

describe("attach says nothing", () => {
  test.each<Setting>([
    ["without pages of other origins", undefined, {}],
    ["where both list it", [page], withCookies(page)],
    ["where both list them", [page, other], withCookies([other, page])],
    ["where cors is open", [page], withCookies(true)],
    ["where cors has a pattern", [page], withCookies([/example$/])],
    [
      "where cors has a function",
      [page],
      withCookies((_o: unknown, done: (e: null, ok: boolean) => void) => done(null, true)),
    ],
    ["where cors is a function", [page], { cors: (_request, done) => done(null, {}) }],
    ["where `origins` is a function", () => true, withCookies(page)],
    [
      "where an exempt namespace lists it",
      undefined,
      withCookies(page),
      { exempt: [{ namespace: "/admin", origins: [page] }] },
    ],
    [
      "where an exempt namespace has a function",
      undefined,
      withCookies(page),
      { exempt: [{ namespace: "/admin", origins: () => true }] },
    ],
    ["where `origins` alone lists it, as a proxy may change Host", [page], {}],
    ["of a wildcard, which names none", undefined, { cors: { origin: "*" } }],
  ])("%s", async (...setting) => {
    await attach(setting);
    expect(warnings()).toEqual([]);
  });
});

describe("attach names origins that cors lists and `origins` does not", () => {
  test.each<[...Setting, string]>([
    ["one", undefined, withCookies(page), {}, `lists ${page}, but`],
    ["one of two", [other], withCookies([page, other]), {}, `lists ${page}, but`],
    ["one beside a pattern", undefined, withCookies([page, /example$/]), {}, `lists ${page}, but`],
    ["one with a slash", [page], withCookies([page, `${page}/`]), {}, "lists a string of 20 characters, but"],
    [
      "many",
      undefined,
      withCookies([1, 2, 3, 4, 5, 6, 7].map((n) => `https://${n}.example`)),
      {},
      "5.example and 2 others, but",
    ],
  ])("%s", async (name, origins, io, options, message) => {
    await attach([name, origins, io, options]);
    const [[code, text] = [], ...more] = warnings();
    expect([code, more]).toEqual(["SOCKET_SESSION_CORS_ORIGINS", []]);
    expect(text).toContain(message);
    expect(text).toContain("Add it to `origins`. If it is this server's own address, remove it from `cors`");
  });
});
