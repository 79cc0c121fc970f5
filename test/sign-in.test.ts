/** What `signIn` stores is what a request of `express-session` with the same options would have stored. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import session from "express-session";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { signIn } from "socket-session/testing";
import { afterEach, describe, expect, test } from "vitest";
import { ManualClock } from "./support/manual-clock.ts";
import { secret, startWorld, type World } from "./support/world.ts";

type CookieOption = NonNullable<session.SessionOptions["cookie"]>;
type Stored = Record<string, unknown> & { originalMaxAge: number | null; expires: string | null };

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** The cookie in the session that plain express-session stores for a request over HTTP. */
async function storedByExpressSession(cookie: CookieOption | undefined): Promise<Stored> {
  const store = new session.MemoryStore();
  const app = express();
  const options = cookie === undefined ? {} : { cookie };
  app.use(session({ store, secret, resave: false, saveUninitialized: false, ...options }));
  app.use((req, res) => {
    req.session.name = "ada";
    res.send("in");
  });
  const http = createServer(app);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { path = "/" } = typeof cookie === "object" ? cookie : {};
  await (await fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}${path}`)).text();
  http.close();
  const [text] = Object.values(Reflect.get(store, "sessions") as Record<string, string>);
  return JSON.parse(text ?? "{}").cookie;
}

/** That in the session that `signIn` stores. */
async function storedBySignIn(cookie: CookieOption | undefined, options = {}): Promise<Stored> {
  const store = memoryStore();
  const sessions = liveSessions({ store, secret, ...(cookie === undefined ? {} : { cookie }) });
  await signIn(sessions, { name: "ada" }, options);
  const [document] = Object.values((await store.all?.()) ?? {});
  await sessions.close();
  return JSON.parse(JSON.stringify(document?.cookie));
}

const later = new Date(Date.now() + 3_600_000);

describe("the cookie that signIn stores", () => {
  test.each<[string, CookieOption | undefined]>([
    ["no cookie", undefined],
    ["no attributes", {}],
    ["path", { path: "/app" }],
    ["domain", { domain: "a.example" }],
    ["httpOnly: false", { httpOnly: false }],
    ["secure: true", { secure: true }],
    ["secure: false", { secure: false }],
    ['secure: "auto"', { secure: "auto" }],
    ["sameSite: true", { sameSite: true }],
    ["sameSite: false", { sameSite: false }],
    ['sameSite: "lax"', { sameSite: "lax" }],
    ['sameSite: "strict"', { sameSite: "strict" }],
    ['sameSite: "none"', { sameSite: "none", secure: true }],
    ['sameSite: "auto"', { sameSite: "auto" } as unknown as CookieOption],
    ["priority", { priority: "high" }],
    ["partitioned", { partitioned: true, secure: true }],
    ["maxAge", { maxAge: 3_600_000 }],
    ["maxAge: null", { maxAge: null } as unknown as CookieOption],
    ["originalMaxAge", { originalMaxAge: 1_000 } as CookieOption],
    ["expires", { expires: later }],
    ["encode and signed", { encode: encodeURIComponent, signed: true }],
    [
      "all of them",
      { maxAge: 1e6, path: "/a", domain: "a.example", sameSite: "lax", secure: true, httpOnly: true },
    ],
  ])("with %s is express-session's", async (_name, cookie) => {
    const [theirs, ours] = [await storedByExpressSession(cookie), await storedBySignIn(cookie)];
    const { originalMaxAge, expires, ...attributes } = theirs;
    expect(ours).toEqual({ ...attributes, originalMaxAge: near(originalMaxAge), expires: nearDate(expires) });
  });

  test("by a function of the request is as without options: there is no request", async () => {
    const cookie = () => ({ secure: true, maxAge: 1_000 });
    expect(await storedBySignIn(cookie)).toEqual(await storedByExpressSession(undefined));
  });

  test("lives for the maxAge of signIn, with the attributes that are configured", async () => {
    const stored = await storedBySignIn(
      { maxAge: 1_000, sameSite: "strict", path: "/app" },
      { maxAge: 60_000 },
    );
    expect(stored).toEqual({
      ...{ originalMaxAge: 60_000, expires: nearDate(new Date(Date.now() + 60_000).toISOString()) },
      ...{ httpOnly: true, path: "/app", sameSite: "strict" },
    });
  });

  test("goes by the clock of the sessions", async () => {
    const clock = new ManualClock();
    await clock.advance(1e9);
    const store = memoryStore({ clock });
    const sessions = liveSessions({ store, secret, clock, cookie: { maxAge: 1_000 } });
    await signIn(sessions);
    const [document] = Object.values((await store.all?.()) ?? {});
    expect(document?.cookie).toMatchObject({
      ...{ originalMaxAge: 1_000, expires: new Date(clock.now() + 1_000).toISOString() },
    });
    await sessions.close();
  });

  test("is what the next response sets", async () => {
    world = await startWorld({ cookie: { sameSite: "strict", maxAge: 60_000 }, rolling: true });
    const header = await signIn(world.sessions, { name: "ada" });
    const response = await fetch(`${world.url}/session`, { headers: { cookie: header } });
    expect(response.headers.getSetCookie()[0]).toContain("SameSite=Strict");
    expect(JSON.parse(await response.text()).data).toEqual({ name: "ada" });
  });
});

/** Both were made at different moments, and express-session loses a millisecond now and then. */
function near(value: number | null): unknown {
  if (value === null) return null;
  return expect.toSatisfy((other: number) => Math.abs(other - value) < 5_000);
}

function nearDate(text: string | null): unknown {
  if (text === null) return null;
  return expect.toSatisfy((other: string) => Math.abs(Date.parse(other) - Date.parse(text)) < 5_000);
}
