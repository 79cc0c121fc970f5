import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { OriginCheck } from "../../src/socket/origin-check.ts";
import { ManualClock } from "../support/manual-clock.ts";

const request = (headers: Record<string, string>, encrypted = false) =>
  ({ headers, socket: { encrypted } }) as unknown as IncomingMessage;
const isOriginAllowed = (one: IncomingMessage, given: ReturnType<typeof policy>) =>
  new OriginCheck(given, new ManualClock(), () => {}).isAllowed(one);
const policy = (trustProxy = false, origins: string[] = []) => ({ origins: new Set(origins), trustProxy });

describe("origins", () => {
  test.each([
    ["same origin", { host: "app.example", origin: "http://app.example" }],
    ["same origin with a port", { host: "localhost:3000", origin: "http://localhost:3000" }],
    ["a default port spelled out in Host", { host: "app.example:443", origin: "https://app.example" }],
    ["https in front of a proxy that keeps Host", { host: "app.example", origin: "https://app.example" }],
    ["no Origin: a native client", { host: "app.example" }],
    ["no Origin, typed as an address", { host: "app.example", "sec-fetch-site": "none" }],
    ["no Origin, same-origin GET", { host: "app.example", "sec-fetch-site": "same-origin" }],
    ["capital letters in Host", { host: "App.Example", origin: "http://app.example" }],
  ])("%s may", (_name, headers) => {
    expect(isOriginAllowed(request(headers), policy())).toBe(true);
  });

  test.each([
    ["another site", { host: "app.example", origin: "https://evil.example" }],
    ["another port", { host: "app.example:3000", origin: "http://app.example:4000" }],
    ["a subdomain", { host: "app.example", origin: "https://x.app.example" }],
    ["a name that begins alike", { host: "app.example", origin: "https://app.example.evil.com" }],
    ["null (a sandboxed frame)", { host: "app.example", origin: "null" }],
    ["an empty Origin", { host: "app.example", origin: "" }],
    ["no Origin, but cross-site", { host: "app.example", "sec-fetch-site": "cross-site" }],
    ["no Origin, but same-site", { host: "app.example", "sec-fetch-site": "same-site" }],
    ["no Origin, but a site that is unknown", { host: "app.example", "sec-fetch-site": "new-word" }],
    ["no Origin, and two sites", { host: "app.example", "sec-fetch-site": "same-origin, cross-site" }],
    ["user info before the host", { host: "app.example", origin: "http://app.example@evil.example" }],
    ["a path", { host: "app.example", origin: "http://app.example/" }],
    ["no Host", { origin: "http://app.example" }],
    [
      "a forwarded host nobody trusts",
      { host: "app", "x-forwarded-host": "evil.example", origin: "http://evil.example" },
    ],
    ["a page of ftp:", { host: "app.example", origin: "ftp://app.example" }],
    ["a page of ws:", { host: "app.example", origin: "ws://app.example" }],
    ["a page of wss:", { host: "app.example", origin: "wss://app.example" }],
    ["a hostile Host", { host: "app.example@evil.example", origin: "http://app.example" }],
  ])("%s may not", (_name, headers) => {
    expect(isOriginAllowed(request(headers), policy())).toBe(false);
  });

  test("over TLS the page must be https too", () => {
    expect(
      isOriginAllowed(request({ host: "app.example", origin: "https://app.example" }, true), policy()),
    ).toBe(true);
    expect(
      isOriginAllowed(request({ host: "app.example", origin: "http://app.example" }, true), policy()),
    ).toBe(false);
  });

  test("listed origins may, compared exactly", () => {
    const listed = policy(false, ["https://pages.example"]);
    expect(isOriginAllowed(request({ host: "api.example", origin: "https://pages.example" }), listed)).toBe(
      true,
    );
    expect(isOriginAllowed(request({ host: "api.example", origin: "http://pages.example" }), listed)).toBe(
      false,
    );
    expect(
      isOriginAllowed(request({ host: "api.example", origin: "https://pages.example.evil" }), listed),
    ).toBe(false);
  });

  test.each([
    "capacitor://localhost",
    "app://-",
    "chrome-extension://abcdefghijklmnop",
    "moz-extension://5d3a-9",
  ])("%s may if it is listed, and not as the server's own", (origin) => {
    const { host } = new URL(origin);
    expect(isOriginAllowed(request({ host, origin }), policy(false, [origin]))).toBe(true);
    expect(isOriginAllowed(request({ host, origin }), policy())).toBe(false);
    expect(isOriginAllowed(request({ host, origin: `${origin}.evil` }), policy(false, [origin]))).toBe(false);
  });

  test.each([
    [2, { ":authority": "app.example", origin: "https://app.example" }, true],
    [2, { ":authority": "app.example:443", origin: "https://app.example" }, true],
    [2, { ":authority": "app.example", host: "evil.example", origin: "https://evil.example" }, false],
    [2, { ":authority": "app.example", origin: "https://evil.example" }, false],
    [2, { host: "app.example", origin: "https://app.example" }, true],
    [1, { ":authority": "evil.example", host: "app.example", origin: "https://evil.example" }, false],
  ])("of HTTP/%i with %j: %s", (httpVersionMajor, headers, isAllowed) => {
    const given = Object.assign(request(headers as unknown as Record<string, string>, true), {
      httpVersionMajor,
    });
    expect(isOriginAllowed(given, policy())).toBe(isAllowed);
  });

  test("with a trusted proxy the forwarded host and scheme count", () => {
    const headers = {
      host: "10.0.0.7:3000",
      "x-forwarded-host": "app.example",
      "x-forwarded-proto": "https",
    };
    expect(isOriginAllowed(request({ ...headers, origin: "https://app.example" }), policy(true))).toBe(true);
    expect(isOriginAllowed(request({ ...headers, origin: "http://app.example" }), policy(true))).toBe(false);
    expect(isOriginAllowed(request({ ...headers, origin: "https://app.example" }), policy(false))).toBe(
      false,
    );
  });

  test.each(["HTTPS", "Https, http", " hTTps "])("a trusted proxy may write the scheme as %j", (scheme) => {
    const headers = { host: "app.example", "x-forwarded-proto": scheme };
    expect(isOriginAllowed(request({ ...headers, origin: "https://app.example" }), policy(true))).toBe(true);
    expect(isOriginAllowed(request({ ...headers, origin: "http://app.example" }), policy(true))).toBe(false);
  });
});
