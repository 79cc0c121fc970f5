/** The parts of a refusal that pages in a browser can read, by the stock client, and the server's view of them. */
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserContext, Browser as Chromium } from "playwright-core";
import { signIn } from "socket-session/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { launchChromium } from "../../apps/chat/test/chromium.ts";
import { chromiumPath, describeWithChromium } from "../setup/services.ts";
import { storeThatFails } from "../support/store-that-fails.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

type ConnectError = Error & { description?: unknown; context?: { responseText: string } };

describeWithChromium("a page in Chromium", () => {
  let chromium: Chromium;
  let context: BrowserContext;
  let world: World;
  let warned: string[];
  let isDown: boolean;
  /** Serves the page, and hands Socket.IO's requests on with another Host, as development proxies do. */
  const pages = createServer((request, response) => {
    if (request.url?.startsWith("/socket.io/")) return proxy(request, response);
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end("<!doctype html><title>A page</title>");
  });
  const origin = () => `http://localhost:${(pages.address() as AddressInfo).port}`;
  const target = () => world.url.replace("127.0.0.1", "localhost"); // of the same site as the page

  function proxy(request: IncomingMessage, response: ServerResponse): void {
    const { method, headers, url } = request;
    const sent = forward(`${world.url}${url}`, {
      method,
      headers: { ...headers, host: new URL(world.url).host },
    });
    sent.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    sent.on("error", () => response.destroy());
    request.pipe(sent);
  }

  beforeAll(async () => {
    chromium = await launchChromium(chromiumPath());
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
  });
  beforeEach(async () => {
    context = await chromium.newContext();
    warned = [];
    isDown = false;
    vi.spyOn(process, "emitWarning").mockImplementation((message) => void warned.push(String(message)));
  });
  afterEach(async () => {
    await context.close();
    await world.close();
    vi.restoreAllMocks();
  });
  afterAll(async () => {
    await chromium?.close();
    pages.close();
  });

  async function start(options: WorldOptions): Promise<void> {
    const store = storeThatFails(() => isDown);
    world = await startWorld({ store, ...options });
    const [name = "", value = ""] = (await signIn(world.sessions, { name: "ada" })).split("=");
    await context.addCookies([{ name, value, domain: "localhost", path: "/" }]);
  }

  /** The message, the status and the code that the page finds in `connect_error`; "in" if it is let in. */
  async function findings(url: string): Promise<unknown[] | string> {
    const page = await context.newPage();
    await page.goto(origin());
    await page.addScriptTag({ url: `${target()}/socket.io/socket.io.js` });
    return page.evaluate(
      (url) =>
        new Promise<unknown[] | string>((resolve) => {
          const { io } = globalThis as unknown as { io: typeof import("socket.io-client").io };
          const socket = io(url, { transports: ["polling"], withCredentials: true, reconnection: false });
          socket.on("connect", () => resolve("in"));
          socket.on("connect_error", ({ message, description, context }: ConnectError) => {
            const body = context?.responseText;
            resolve([message, description, body ? JSON.parse(body).data.code : "nothing"]);
          });
        }),
      url,
    );
  }

  test("that cors lists reads that its origin is not in `origins`, and a warning says it as well", async () => {
    await start({ io: { cors: { origin: origin(), credentials: true } } });
    expect(await findings(target())).toEqual(["xhr poll error", 403, "ORIGIN_REFUSED"]);
    expect(warned.at(-1)).toContain(
      `If the page is yours, add it to the options of liveSessions(): origins: ["${origin()}"]`,
    );
  });

  test("that neither lists reads nothing", async () => {
    await start({});
    expect(await findings(target())).toEqual(["xhr poll error", 0, "nothing"]);
  });

  test.each([
    ["by both", { cors: { origin: true, credentials: true } }],
    ["by `origins` alone", {}],
  ])("that is listed %s reads that the store is down", async (_name, io) => {
    await start({ io, origins: [origin()] });
    isDown = true;
    expect(await findings(target())).toEqual(["xhr poll error", 503, "STORE_UNAVAILABLE"]);
  });

  test("that `origins` alone lists can't read that it is in; the browser says so, and there is no warning", async () => {
    await start({ origins: [origin()] });
    expect(await findings(target())).toEqual(["xhr poll error", 0, "nothing"]);
    expect(warned).toEqual([]);
  });

  test("that both list is in", async () => {
    await start({ io: { cors: { origin: origin(), credentials: true } }, origins: [origin()] });
    expect(await findings(target())).toBe("in");
    expect(warned).toEqual([]);
  });

  test("behind a proxy that changes Host is refused at its first POST, and the server names the proxy", async () => {
    await start({});
    expect(await findings(origin())).toEqual(["xhr post error", 403, "ORIGIN_REFUSED"]);
    expect(warned.at(-1)).toContain(
      "so a proxy between them changes the header: let the proxy keep the Host header",
    );
  });
});
