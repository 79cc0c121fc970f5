/** Pages of other origins have to be listed twice, in Socket.IO's `cors` and in `origins`: what is said of those that are not. */
import type { IncomingMessage } from "node:http";
import { Server, type ServerOptions } from "socket.io";
import { type AttachOptions, type LiveSessionsOptions, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isUnread } from "../../src/socket/cors-warnings.ts";
import { rawRequest } from "../support/raw-client.ts";
import { startWorld } from "../support/world.ts";

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

describe("attach names what cors lists and `origins` does not", () => {
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

describe("the first poll of a page that was let in, and can't read the answer,", () => {
  const poll = (url: string, headers: Record<string, string>, sid = "") =>
    rawRequest(`${url}/socket.io/?EIO=4&transport=polling${sid}`, "GET", headers);

  test.each<[string, LiveSessionsOptions["origins"], Partial<ServerOptions>]>([
    ["without cors", [page], {}],
    ["without cors, by a function", async () => true, {}],
    ["with another in cors", [page, other], withCookies(other)],
    ["with cors that takes no cookies", [page], { cors: { origin: page } }],
  ])("is told, once: %s", async (_name, origins = [], io) => {
    const world = await startWorld({ origins, io });
    const { cookie } = await world.visitor();
    warn.mockClear();
    for (let n = 0; n < 2; n++)
      await poll(world.url, { cookie, origin: page, "sec-fetch-site": "cross-site" });
    await world.close();
    const [[code, text] = [], ...more] = warnings();
    expect([code, more]).toEqual(["SOCKET_SESSION_CORS_MISSING", []]);
    expect(text).toContain(`A page of ${page} was let in, but its browser`);
    expect(text).toContain(`cors: { origin: ["${page}"], credentials: true }`);
  });

  const allow = (origin: string, credentials?: string) => ({
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Allow-Credentials": credentials,
  });
  const cross = { origin: page, "sec-fetch-site": "cross-site" };

  test.each<[string, object, Record<string, string | undefined>, boolean]>([
    ["no headers", cross, {}, true],
    ["its own origin", cross, allow(page), false],
    ["its own origin, with cookies", { ...cross, cookie: "sid=x" }, allow(page, "true"), false],
    ["its own origin, but no cookies", { ...cross, cookie: "sid=x" }, allow(page), true],
    ["another origin", cross, allow(other), true],
    ["any origin", cross, allow("*"), false],
    ["any origin, which is none with cookies", { ...cross, cookie: "sid=x" }, allow("*", "true"), true],
    ["no headers, of the same site", { ...cross, "sec-fetch-site": "same-site" }, {}, true],
    ["no headers, of the same origin by a proxy", { ...cross, "sec-fetch-site": "same-origin" }, {}, false],
    ["no headers, of a client that is no browser", { origin: page }, {}, false],
    ["no headers, without an origin", { "sec-fetch-site": "cross-site" }, {}, false],
  ])("is one that is answered with %s: %j, %j: %s", (_name, headers, answer, expected) => {
    const request = { headers } as IncomingMessage;
    expect(isUnread(request, { getHeader: (name) => answer[name] })).toBe(expected);
  });
});
