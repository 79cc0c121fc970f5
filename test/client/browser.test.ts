/** The page's half in Chromium, with a stock client and a real server. */

import type { Express } from "express";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { describeWithChromium } from "../setup/services.ts";
import { storeThatFails } from "../support/store-that-fails.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";
import { hasState, launch, logIn, logOut, pageRoutes, snapshotOf, statesOf, visit } from "./page.ts";

const cookieMs = 3_600_000;

describeWithChromium("a page in Chromium", { timeout: 60_000 }, () => {
  let chromium: Browser;
  let context: BrowserContext;
  let world: World;
  let addPage: (app: Express) => void;
  let renewals: number;
  let isDown: boolean;

  beforeAll(async () => {
    [chromium, addPage] = await Promise.all([launch(), pageRoutes()]);
  }, 60_000);
  afterAll(() => chromium?.close());
  beforeEach(async () => {
    context = await chromium.newContext();
    context.setDefaultTimeout(15_000);
    renewals = 0;
    isDown = false;
  });
  afterEach(async () => {
    await context.close();
    await world.close();
  });

  async function start(options: WorldOptions = {}): Promise<void> {
    const store = storeThatFails(() => isDown);
    world = await startWorld({
      store,
      attach: { share: ({ name }) => ({ name }) },
      routes(app, sessions) {
        app.post("/session/renew", (_req, _res, next) => {
          renewals++;
          next();
        });
        app.use("/session", sessions.routes());
        addPage(app);
      },
      sockets: (io) => void io.on("connection", (socket) => socket.on("say", (done) => done())),
      ...options,
    });
  }

  /** A page whose visitor has logged in. */
  async function openLive(query = ""): Promise<Page> {
    const page = await visit(context, `${world.url}/elsewhere`);
    await logIn(page, "ada");
    await page.goto(`${world.url}/${query}`);
    await hasState(page, "live");
    return page;
  }

  /** A number of pages of one live session. */
  async function openTabs(count: number): Promise<Page[]> {
    const tabs = [await openLive()];
    while (tabs.length < count) tabs.push(await visit(context, world.url));
    for (const tab of tabs) await hasState(tab, "live");
    return tabs;
  }

  const all = (tabs: readonly Page[], state: Parameters<typeof hasState>[1]) =>
    Promise.all(tabs.map((tab) => hasState(tab, state)));

  describe.each(["polling", "websocket"])("by %s", (transport) => {
    const query = `?transport=${transport}`;

    test("sees what the server shares, and follows it", async () => {
      await start();
      const page = await openLive(query);
      const snapshot = await snapshotOf(page);
      expect(snapshot).toMatchObject({ state: "live", data: { name: "ada" } });
      await page.evaluate(`fetch("/write", {
        method: "POST", headers: { "content-type": "application/json" }, body: '{"name":"grace"}'
      })`);
      await page.waitForFunction(`page.session.getSnapshot().data.name === "grace"`);
      expect(await statesOf(page)).toEqual(["live", "live"]);
    });

    test("reads why it is not let in, and that the store is down", async () => {
      await start();
      const page = await visit(context, `${world.url}/${query}`);
      await hasState(page, "refused");
      expect(await snapshotOf(page)).toMatchObject({ code: "SESSION_REQUIRED", help: "login" });
      await logIn(page, "ada");
      isDown = true;
      const outcome = page.evaluate<{ code: string }>("page.session.loggedIn()");
      await page.waitForFunction(`page.session.getSnapshot().code === "STORE_UNAVAILABLE"`);
      expect(await outcome).toMatchObject({ state: "refused", help: "retry" });
      isDown = false;
      await hasState(page, "live");
    });

    test("loses the network, and is live when it is back", async () => {
      await start();
      const page = await openLive(query);
      await context.setOffline(true);
      await hasState(page, "lost");
      expect(await snapshotOf(page)).toMatchObject({ data: { name: "ada" } });
      await context.setOffline(false);
      await hasState(page, "live");
    });
  });

  test("that logs in has all tabs live, and that logs out ends all", async () => {
    await start({ guests: "allow" });
    const tabs: Page[] = [];
    while (tabs.length < 3) tabs.push(await visit(context, world.url));
    await all(tabs, "guest");
    const [tab] = tabs;
    if (!tab) throw new Error("there is no tab");
    await logIn(tab, "ada");
    expect(await tab.evaluate("page.session.loggedIn()")).toMatchObject({
      state: "live",
      data: { name: "ada" },
    });
    await all(tabs, "live");
    await logOut(tab);
    await all(tabs, "ended");
    for (const page of tabs) {
      expect(await snapshotOf(page)).toEqual({ state: "ended", reason: "destroyed" });
      expect(await statesOf(page)).not.toContain("lost");
    }
  });

  test("of two namespaces has one session in both, before and after a login", async () => {
    await start({ guests: "allow", sockets: (io) => void io.of("/other").on("connection", () => {}) });
    const page = await visit(context, `${world.url}/?namespace=/other`);
    const both = (state: string) =>
      page.waitForFunction(
        `[page, ...page.others].every(({ session }) => session.getSnapshot().state === "${state}")`,
      );
    await both("guest");
    await logIn(page, "ada");
    await page.evaluate("page.session.loggedIn()");
    await both("live");
    await logOut(page);
    await both("ended");
  });

  test("in five tabs makes one renewal per period, by activity alone", async () => {
    await context.addInitScript(`{
      const now = Date.now.bind(Date); // the clock of all tabs, which a test moves
      Date.now = () => now() + Number(localStorage.getItem("movedMs"));
    }`);
    await start({ cookie: { maxAge: cookieMs } });
    const tabs = await openTabs(5);
    expect(renewals).toBe(0);
    const act = () =>
      Promise.all(tabs.map((tab) => tab.evaluate(`page.socket.emitWithAck("say").then(() => {})`)));
    for (let period = 1; period <= 3; period++) {
      for (let n = 0; n < 3; n++) await act();
      await expect.poll(() => renewals).toBe(period);
      await act();
      await tabs[0]?.evaluate(`localStorage.setItem("movedMs", ${(period * cookieMs) / 2})`);
    }
    for (const tab of tabs) await tab.close();
    expect(renewals).toBe(3);
  });

  describe("that comes back from the back/forward cache", () => {
    async function leaveAndComeBack(page: Page, meanwhile: () => Promise<unknown>): Promise<void> {
      await page.goto(`${world.url}/elsewhere`);
      await meanwhile();
      await page.goBack({ waitUntil: "commit" }); // a restored page is not loaded
      await page.waitForFunction("page.isRestored === true");
    }

    test("is live as before", async () => {
      await start();
      const page = await openLive();
      await leaveAndComeBack(page, async () => {});
      await hasState(page, "live");
      expect(await statesOf(page)).toEqual(["live", "connecting", "live"]);
    });

    test("knows that its visitor has logged out", async () => {
      await start();
      const page = await openLive();
      await leaveAndComeBack(page, () => logOut(page));
      await hasState(page, "refused");
      expect(await statesOf(page)).toEqual(["live", "connecting", "refused"]);
    });

    test("knows that its visitor has logged in", async () => {
      await start();
      const page = await visit(context, world.url);
      await hasState(page, "refused");
      await leaveAndComeBack(page, () => logIn(page, "ada"));
      await hasState(page, "live");
    });
  });

  test("whose listener throws reports that, and goes on", async () => {
    await start();
    const page = await visit(context, `${world.url}/elsewhere`);
    await logIn(page, "ada");
    const reported = page.waitForEvent("pageerror");
    await page.goto(world.url);
    await page.evaluate(`page.session.on("end", () => { throw new Error("of a listener"); })`);
    await hasState(page, "live");
    await logOut(page);
    expect((await reported).message).toBe("of a listener");
    await hasState(page, "ended");
  });
});
