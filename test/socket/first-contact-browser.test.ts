/** `guests: "create"` in a real browser, which keeps the handshake's cookie or not. */
import type { BrowserContext, Browser as Chromium, Page } from "playwright-core";
import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { launchChromium } from "../../apps/chat/test/chromium.ts";
import { chromiumPath, describeWithChromium } from "../setup/services.ts";
import { installHandlers } from "../support/handlers.ts";
import { transportKinds } from "../support/matrix.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

declare const window: { io(url: string, options: object): Socket; socket: Socket };

describeWithChromium("a page in Chromium whose first contact is a socket", () => {
  let chromium: Chromium;
  let context: BrowserContext;
  let world: World;

  beforeAll(async () => {
    chromium = await launchChromium(chromiumPath());
  });
  beforeEach(async () => {
    context = await chromium.newContext();
  });
  afterEach(async () => {
    await context.close();
    await world.close();
  });
  afterAll(() => chromium?.close());

  async function start(options: WorldOptions = {}) {
    world = await startWorld({
      guests: "create",
      sockets: (io) =>
        installHandlers(io, (socket) => {
          socket.on("id", (done) => done(socket.session.publicId));
        }),
      routes: (app) =>
        app.get("/page", (_req, res) => {
          res.send('<!doctype html><title>A page</title><script src="/socket.io/socket.io.js"></script>');
        }),
      ...options,
    });
  }

  async function open(path = `${world.url}/page`): Promise<Page> {
    const page = await context.newPage();
    await page.goto(path);
    return page;
  }

  /** Connects the page's socket; does not wait for it. */
  const connect = (page: Page, transports: readonly string[], url = world.url) =>
    page.evaluate(
      ([to, by]) => {
        window.socket = window.io(to, { transports: by, reconnectionDelay: 20, withCredentials: true });
      },
      [url, [...transports]] as const,
    );

  /** The answer to an event. Sends it again on the next connection if this one is lost, and only then. */
  const ask = (page: Page, event: string): Promise<unknown> =>
    page.evaluate(async (name) => {
      for (;;) {
        const answer: unknown = await window.socket
          .timeout(10_000)
          .emitWithAck(name)
          .catch(() => undefined);
        if (answer !== undefined) return answer;
      }
    }, event);

  test.each(transportKinds)("keeps its session, by $name", async ({ transports }) => {
    await start();
    const page = await open();
    expect(await context.cookies()).toEqual([]);
    await connect(page, transports);
    expect(await ask(page, "state")).toBe("guest");
    expect(await context.cookies()).toMatchObject([{ name: "sid", path: "/", httpOnly: true }]);
    expect(await ask(page, "increment")).toBe(1);
    expect(await ask(page, "state")).toBe("live");
    const session: unknown = await page.evaluate(async () => (await fetch("/session")).json());
    expect(session).toMatchObject({ data: { n: 1 } });
    await page.reload();
    await connect(page, transports);
    expect(await ask(page, "read")).toEqual({ n: 1 });
  });

  test("in four tabs at once has one session once all have polled", async () => {
    await start();
    const tabs = await Promise.all([1, 2, 3, 4].map(() => open()));
    await Promise.all(tabs.map((tab) => connect(tab, ["polling"])));
    const ids = async () => new Set(await Promise.all(tabs.map((tab) => ask(tab, "id")))).size;
    await expect.poll(ids).toBe(1);
    await Promise.all(tabs.map((tab) => ask(tab, "increment")));
    expect(await Promise.all(tabs.map((tab) => ask(tab, "read")))).toEqual(Array(4).fill({ n: 4 }));
  });

  test("of another site is a guest each time: the browser does not keep a cookie without sameSite", async () => {
    await start();
    const page = await open();
    await world.close();
    const { origin } = new URL(page.url());
    await start({ origins: [origin], io: { cors: { origin, credentials: true } } });
    for (const transport of ["polling", "websocket"]) {
      await connect(page, [transport], world.url.replace("127.0.0.1", "localhost"));
      expect(await ask(page, "increment")).toBe(1);
    }
    expect(await context.cookies()).toEqual([]);
  });
});
