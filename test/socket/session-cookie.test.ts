import { createServer } from "node:http";
import { sign } from "cookie-signature";
import express from "express";
import session from "express-session";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cookieValue, verifiedCookie } from "../../src/socket/session-cookie.ts";
import { listen } from "../support/listen.ts";

const secrets = ["the newer secret", "the older secret"];
const signed = (sid: string, secret = "the newer secret") => `s:${sign(sid, secret)}`;

/** Headers, and what both sides must make of them. */
const cases: [name: string, header: string, sid: string | undefined][] = [
  ["a good cookie", `sid=${encodeURIComponent(signed("abc"))}`, "abc"],
  ["signed with the older secret", `sid=${encodeURIComponent(signed("abc", "the older secret"))}`, "abc"],
  ["not encoded", `sid=${signed("abc")}`, "abc"],
  ["quoted", `sid="${encodeURIComponent(signed("abc"))}"`, "abc"],
  ["the first of two", `sid=${signed("first")}; sid=${signed("second")}`, "first"],
  ["a bad one before a good one", `sid=s:bad.bad; sid=${signed("second")}`, undefined],
  ["another cookie before", `other=1; sid=${signed("abc")}`, "abc"],
  ["unsigned", "sid=abc", undefined],
  ["unsigned with a dot", "sid=abc.def", undefined],
  ["signed with another secret", `sid=${signed("abc", "an attacker's")}`, undefined],
  ["cut", `sid=${signed("abc").slice(0, -2)}`, undefined],
  ["only the prefix", "sid=s:", undefined],
  ["the prefix twice", `sid=s:${signed("abc")}`, undefined],
  ["no signature", "sid=s:abc", undefined],
  ["an empty id", `sid=${signed("")}`, undefined],
  ["an empty value", "sid=", undefined],
  ["invalid percent-encoding", "sid=s%3Aabc%ZZ.%E0%A4%A", undefined],
  ["8 KB long", `sid=s:${"a".repeat(8000)}.b`, undefined],
  ["8 KB long and well signed", `sid=${encodeURIComponent(signed("a".repeat(8000)))}`, "a".repeat(8000)],
  ["another name", `connect.sid=${signed("abc")}`, undefined],
  ["no equals sign", "sid", undefined],
  ["nothing but separators", ";;; ; =; ;=", undefined],
  ["names of Object.prototype", "__proto__=1; constructor=2; toString=3", undefined],
];

describe("the session id in a cookie header", () => {
  /** What the real express-session finds. */
  let upstream: (header: string) => Promise<string | undefined>;
  let close = () => {};

  beforeAll(async () => {
    const asked: string[] = [];
    class Listening extends session.MemoryStore {
      override get(sid: string, callback: Parameters<session.MemoryStore["get"]>[1]): void {
        asked.push(sid);
        super.get(sid, callback);
      }
    }
    const app = express();
    app.use(
      session({
        store: new Listening(),
        secret: secrets,
        name: "sid",
        resave: false,
        saveUninitialized: false,
      }),
    );
    app.use((_req, res) => void res.send("ok"));
    const server = createServer({ maxHeaderSize: 65_536 }, app);
    const url = await listen(server);
    upstream = async (cookie) => {
      asked.length = 0;
      await (await fetch(url, { headers: { cookie } })).text();
      return asked[0];
    };
    close = () => void server.close();
  });
  afterAll(() => close());

  const found = (header: string) => {
    const cookie = verifiedCookie(cookieValue(header, "sid"), secrets);
    return cookie.kind === "signed" ? cookie.sid : undefined;
  };

  test.each(cases)("%s: as express-session finds it", async (_name, header, sid) => {
    expect(found(header)).toBe(sid);
    expect(await upstream(header)).toBe(sid);
  });

  test("any header: never throws, never finds an unsigned id, and agrees with express-session", async () => {
    const part = fc.constantFrom(
      "sid",
      "=",
      ";",
      " ",
      "s:",
      "%",
      "%3A",
      '"',
      ".",
      "a",
      signed("abc"),
      signed("x", "no"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 14 }), async (parts) => {
        const header = parts.join("").trim();
        expect(found(header)).toBe(header ? await upstream(header) : undefined);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    [undefined, "none"],
    ["", "none"],
    ["sid=", "none"],
    ["sid=abc", "invalid"],
    ["sid=s:abc", "invalid"],
  ])("%j is %s", (header, kind) => {
    expect(verifiedCookie(cookieValue(header, "sid"), secrets).kind).toBe(kind);
  });
});
