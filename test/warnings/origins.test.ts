/** The server's warnings about pages that it refused for their origin. */
import type { IncomingMessage } from "node:http";
import { format } from "node:util";
import createDebug from "debug";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { OriginWarnings } from "../../src/warnings/origins.ts";
import { refused } from "../support/browser.ts";
import { transportKinds } from "../support/matrix.ts";
import { RawPolling } from "../support/raw-client.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

const page = "https://app.example";
const setting = { origins: new Set<string>(), trustProxy: false };

/** The warning of one request, without what all begin with. */
function messageOf(headers: Record<string, string>, policy: object = {}, encrypted = false): string {
  const request = { headers, socket: { encrypted } } as unknown as IncomingMessage;
  const [warning] = new OriginWarnings({ ...setting, ...policy }).of(request);
  return warning?.message ?? "none";
}

const listIt = `add it to the options of liveSessions(): origins: ["${page}"]`;
const keepHost =
  "let the proxy keep the Host header of the browser, by `changeOrigin: false` (Vite, webpack), `ProxyPreserveHost On` (Apache) or `proxy_set_header Host $http_host` (nginx)";

describe("the warning of a refused page", () => {
  test.each([
    [
      "names it, and what it was compared with",
      { origin: page, host: "127.0.0.1:3001" },
      `A page of ${page} was refused (ORIGIN_REFUSED): its origin is neither this server's own, which is 127.0.0.1:3001 by the Host header, nor in \`origins\`.`,
    ],
    [
      "without a hint has both cures",
      { origin: page, host: "localhost" },
      `If the page is yours, ${listIt}. If it is the server's own page behind a proxy that changes the header, ${keepHost}.`,
    ],
    [
      "where the browser says so has the list's",
      { origin: page, host: "api", "sec-fetch-site": "cross-site" },
      `\`origins\`. If the page is yours, ${listIt}.`,
    ],
    [
      "of the same site as well",
      { origin: page, host: "api", "sec-fetch-site": "same-site" },
      `If the page is yours, ${listIt}.`,
    ],
    [
      "that the browser takes for the server's own names the proxy",
      { origin: page, host: "localhost:3001", "sec-fetch-site": "same-origin" },
      `The browser takes it for the server's own, so a proxy between them changes the header: ${keepHost}. Or ${listIt}.`,
    ],
    [
      "that X-Forwarded-Host would have admitted names proxy: true, and trust proxy",
      {
        origin: page,
        host: "10.0.0.7:3001",
        "x-forwarded-host": "app.example",
        "x-forwarded-proto": "https",
      },
      "if all requests come through a proxy of yours that sets them, write liveSessions({ proxy: true }). Express's `trust proxy` does not reach sockets.",
    ],
    ["without Host", { origin: page }, "which is unknown without a Host header"],
    [
      "of a hostile Host",
      { origin: page, host: "a\nb" },
      "which is a string of 3 characters by the Host header",
    ],
    [
      "of a long Host",
      { origin: page, host: "a".repeat(201) },
      "which is a string of 201 characters by the Host",
    ],
    [
      "of null",
      { origin: "null", host: "a" },
      'A page with the origin "null" was refused (ORIGIN_REFUSED). It can\'t be allowed',
    ],
    ["of file:", { origin: "file://", host: "a" }, 'A page with the origin "file://" was refused'],
    [
      "of what is no origin",
      { origin: "x\u001b[2J", host: "a" },
      "as its Origin header is a string of 5 characters, and no origin",
    ],
    [
      "of a long origin",
      { origin: `https://${"a.".repeat(120)}example`, host: "a" },
      "its Origin header is a string of 255 characters",
    ],
    ["of none", { host: "a", "sec-fetch-site": "cross-site" }, "none"],
  ])("%s", (_name, headers, message) => {
    expect(messageOf(headers as Record<string, string>)).toContain(message);
  });

  test("over TLS names the scheme", () => {
    const message = messageOf({ origin: "http://app.example", host: "app.example" }, {}, true);
    expect(message).toContain("which is https://app.example by the Host header");
    expect(message).toContain(
      "The page came over http, and its request over TLS: serve the page over https, or add it",
    );
  });

  test("behind a trusted proxy names the host that the proxy sent", () => {
    const headers = { origin: page, host: "10.0.0.7", "x-forwarded-host": "other.example" };
    const message = messageOf(headers, { trustProxy: true });
    expect(message).toContain("which is other.example by the X-Forwarded-Host header");
    expect(message).toContain("let the proxy send the Host header of the browser in it");
    expect(message).not.toContain("proxy: true");
  });

  test("names the function if there is one", () => {
    const message = messageOf({ origin: page, host: "api" }, { origins: () => false });
    expect(message).toContain("nor one that the `origins` function returned true for");
    expect(message).toContain("If the page is yours, let the function return true for it.");
  });
});

describe("warnings", () => {
  let world: World;
  let warn: ReturnType<typeof vi.spyOn>;
  beforeEach(() => {
    warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  });
  afterEach(async () => {
    await world.close();
    vi.restoreAllMocks();
  });
  const start = async (options: WorldOptions = {}) => {
    world = await startWorld(options);
  };
  const warned = () =>
    warn.mock.calls.filter(
      ([, options]: unknown[]) => Reflect.get(Object(options), "code") === "SOCKET_SESSION_ORIGIN",
    );
  const knock = (origin: string) => new RawPolling(world.url, { origin }).send("GET");

  test.each(transportKinds)("come once for each origin, by $name", async ({ transports }) => {
    await start();
    for (const origin of [page, page, "https://other.example", page]) {
      const options = { transports: [...transports], reconnection: false, extraHeaders: { origin } };
      await refused(world.browser().socket("/", options));
    }
    expect(warned().map(([message]: unknown[]) => /page of (\S+)/.exec(String(message))?.[1])).toEqual([
      page,
      "https://other.example",
    ]);
    expect(warned()[0]?.[1]).toEqual({ type: "SocketSessionWarning", code: "SOCKET_SESSION_ORIGIN" });
  });

  test("come for a poll as well, if a proxy changes Host and the handshake names no origin", async () => {
    await start();
    const { cookie } = await world.visitor();
    const client = new RawPolling(world.url, { cookie });
    await client.open();
    expect((await client.send("POST", "40", { cookie, origin: page })).status).toBe(403);
    expect(warned()).toHaveLength(1);
  });

  test("end after twenty origins, and say so", async () => {
    await start();
    for (let n = 0; n < 25; n++) await knock(`https://${n}.example`);
    expect(warned()).toHaveLength(20);
    const last = warned().map(([message]: unknown[]) => String(message).includes("Further origins"));
    expect(last).toEqual([...Array(19).fill(false), true]);
    expect(world.sessions.stats().refused.ORIGIN_REFUSED).toBe(25);
  });

  test("come with the event, which has the host, and the debug output, which has both", async () => {
    const lines: string[] = [];
    const { log } = createDebug;
    createDebug.log = (...line: unknown[]) => void lines.push(format(...line));
    createDebug.enable("socket-session");
    await start();
    const events: unknown[] = [];
    world.sessions.on("refuse", ({ code, origin, host }) => events.push([code, origin, host]));
    await knock(page);
    createDebug.disable();
    createDebug.log = log;
    const { host } = new URL(world.url);
    expect(events).toEqual([["ORIGIN_REFUSED", page, host]]);
    expect(lines.join("\n")).toContain(`ORIGIN_REFUSED, origin ${page}, host ${host}`);
  });
});
