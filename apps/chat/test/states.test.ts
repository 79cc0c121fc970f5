/** Every state of the page, with a check of its accessibility. */
import type { BrowserContextOptions, Page } from "playwright-core";
import { memoryStore } from "socket-session/memory";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ring } from "../../../test/setup/ring.ts";
import { describeWithChromium } from "../../../test/setup/services.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { ChatInBrowser } from "./chat-in-browser.ts";
import {
  hasStatus,
  hears,
  isAccessible,
  isConnectedAs,
  isInView,
  logIn,
  say,
  shows,
  tells,
} from "./on-page.ts";

const desktop: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
const dark: BrowserContextOptions = { ...desktop, colorScheme: "dark" };
const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  colorScheme: "dark",
  hasTouch: true,
  isMobile: true,
};
/** A window of 1280 by 720, enlarged to 200 %. */
const enlarged: BrowserContextOptions = { viewport: { width: 640, height: 360 }, deviceScaleFactor: 2 };

interface Where {
  readonly where: string;
  readonly options: BrowserContextOptions;
}

/** What takes long, and is shown in another place as well. */
const inProduct = (...some: Where[]) => (ring === "product" ? some : []);

describeWithChromium("the page", { timeout: 90_000 }, () => {
  let chat: ChatInBrowser;
  let clock: ManualClock;
  beforeAll(async () => {
    chat = await ChatInBrowser.launch();
  }, 60_000);
  afterAll(() => chat?.close());

  beforeEach(() => start());
  afterEach(async () => {
    expect(await chat.reset()).toEqual([]);
  });

  async function start(idleMs?: number): Promise<void> {
    await chat.stop();
    clock = new ManualClock();
    await chat.start({ clock, store: memoryStore({ clock }), ...(idleMs && { idleMs }) });
    await clock.advance(1_000); // within the first second, receipts wait for other nodes
  }

  const open = async (options: BrowserContextOptions) => chat.open(await chat.context(options));
  const press = (page: Page, name: string | RegExp) => page.getByRole("button", { name }).click();

  test.each<Where>([
    { where: "on a desk", options: desktop },
    ...inProduct({ where: "in the dark", options: dark }),
  ])("$where: from guest to signed out, over what can be tried", async ({ options }) => {
    const page = await open(options);
    await isConnectedAs(page, "a guest");
    await isAccessible(page, "a guest");
    await page.getByLabel("Your name").fill("guest");
    await press(page, "Log in");
    await shows(page, "Guests are called that.");
    await isAccessible(page, "a name that can't be");

    await logIn(page, "Ada");
    expect(await page.evaluate("document.activeElement.id")).toBe("text");
    await say(page, "See https://example.com/?a=1.");
    const link = page.getByRole("link", { name: "https://example.com/?a=1", exact: true });
    expect(await link.getAttribute("rel")).toContain("noopener");
    await isAccessible(page, "logged in");

    const other = await open(options);
    await logIn(other, "ada");
    await tells(page, /^A new device is signed in as you: .*Linux, this machine/);
    await page.getByRole("button", { name: /^Sign out .* this machine$/ }).waitFor();
    await isAccessible(page, "two devices");

    await press(page, "Make me an admin");
    await shows(page, 'In the room "admins"');
    await isAccessible(page, "an admin");
    await press(page, "Take away my admin right");
    await shows(page, 'Out of the room "admins" (NOT_ADMIN).');
    await tells(page, /^Right taken away: every tab had left the room/);
    await isAccessible(page, "no admin any more");

    await page.getByRole("button", { name: /^Sign out .* this machine$/ }).click();
    await shows(other, "You are signed out. Another of your devices signed you out.");
    await tells(page, /^Revoked\. Closed: 1 socket in/);
    await isAccessible(other, "signed out elsewhere");

    await press(page, "Let an administrator sign me out");
    await shows(page, "You are signed out. An administrator has ended your session.");
    await hasStatus(page, "Not connected");
    await isAccessible(page, "revoked");
    expect(await page.getByRole("button", { name: /log in/i }).count()).toBe(1);
    await logIn(page, "Ada");
  });

  test("a session that ends soon can be prolonged, and then ends", async () => {
    await start(90_000);
    const page = await open(desktop);
    await logIn(page, "Ada");
    await shows(page, "Your session ends in 1:");
    await isAccessible(page, "expiring");
    await clock.advance(60_000);
    await Promise.all([page.waitForResponse("**/session/renew"), press(page, "Stay logged in")]);
    await clock.advance(80_000);
    await isConnectedAs(page, "Ada");
    await clock.advance(10_000);
    await shows(page, "Your session has expired.");
    await isAccessible(page, "expired");
    await press(page, "Continue as a guest");
    await isConnectedAs(page, "a guest");
    expect(await page.evaluate("document.activeElement.id")).toBe("text");
  });

  if (ring === "product") {
    test("a shortened session says so, in every tab", async () => {
      const page = await open(desktop);
      await logIn(page, "Ada");
      const second = await chat.open(page.context());
      await press(page, "Shorten my session to a minute");
      await press(second, "Give my session its full time again");
      await page.getByRole("button", { name: "Shorten my session to a minute" }).waitFor();
    });
  }

  test("a cookie that is not valid here, and a server that is gone", async () => {
    const context = await chat.context(desktop);
    await context.addCookies([{ name: "sid", value: "s%3Aforged.signature", url: chat.url }]);
    const page = await chat.open(context);
    await shows(page, "This browser's cookie is not valid here.");
    expect(await page.getByRole("button", { name: "Continue as a guest" }).isVisible()).toBe(false);
    await isAccessible(page, "refused");
    await logIn(page, "Ada");
    await chat.stop();
    await hasStatus(page, "Reconnecting…");
    await say(page, "Is anybody there?");
    await shows(page, "There is no connection at the moment. Your message is still here.");
    await isAccessible(page, "lost");
  });

  test.each<Where>([
    { where: "on a phone, in the dark", options: phone },
    ...inProduct({ where: "enlarged to 200 %", options: enlarged }),
  ])("$where: the message field is always in view, and the panels are folded", async ({ options }) => {
    const page = await open(options);
    await isConnectedAs(page, "a guest");
    await isInView(page, "Message");
    await press(page, /^Log in/);
    await isAccessible(page, "the fold of a guest");
    await logIn(page, "Ada");
    for (let n = 1; n <= 5; n++) {
      await say(page, `message ${n}, which is long enough to take more than one line of a phone`);
      await hears(page, "Ada", `message ${n}`);
    }
    await isInView(page, "Message");
    for (const name of [/^Ada/, "1 device", "Try it"]) {
      await press(page, name);
      await isInView(page, "Message");
      await isAccessible(page, `the fold ${name}`);
    }
    await page.keyboard.press("Escape");
    expect(await page.getByRole("heading", { name: "Try it" }).isVisible()).toBe(false);
    await isAccessible(page, "all folded");
    await clock.advance(30 * 60_000);
    await shows(page, "Your session has expired.");
    await isInView(page, "Your name");
    await isAccessible(page, "expired");
    await logIn(page, "Ada");
    await press(page, "Try it");
    await press(page, "Let an administrator sign me out");
    await shows(page, "You are signed out.");
    await isInView(page, "Your name");
    expect(await page.evaluate("document.activeElement.id")).toBe("login-name");
  });

  test("the page holds no secret, and no code within its HTML", async () => {
    const page = await open(desktop);
    await logIn(page, "Ada");
    await hasStatus(page, "Connected as Ada");
    const [cookie] = await page.context().cookies();
    const [, id = ""] = /^s%3A(.{20,})\./.exec(cookie?.value ?? "") ?? [];
    expect([cookie?.name, cookie?.httpOnly, id.length]).toEqual(["sid", true, 32]);
    const held =
      "[document.cookie, document.documentElement.outerHTML, ...Object.values(localStorage)].join()";
    expect(await page.evaluate(held)).not.toContain(id);
    const response = await page.request.get(chat.url);
    expect(response.headers()["content-security-policy"]).not.toContain("unsafe");
    expect(await response.text()).not.toMatch(/<style|<script(?![^>]* src=)| style=| on[a-z]+=/i);
  });

  test("by the keyboard alone: log in, write, be an admin, log out", async () => {
    const page = await open(desktop);
    await isConnectedAs(page, "a guest");
    await tabTo(page, "login-name");
    await page.keyboard.type("Ada");
    await page.keyboard.press("Enter");
    await isConnectedAs(page, "Ada");
    await page.keyboard.type("Hello");
    await page.keyboard.press("Enter");
    await hears(page, "Ada", "Hello");
    await tabTo(page, "Make me an admin");
    await page.keyboard.press("Enter");
    await shows(page, 'In the room "admins"');
    await page.reload();
    await isConnectedAs(page, "Ada");
    await tabTo(page, "Log out");
    await page.keyboard.press("Space");
    await isConnectedAs(page, "a guest");
    expect(await page.evaluate("document.activeElement.id")).toBe("login-name");
  });

  /** Presses Tab until an element has the focus that has this id, or begins with these words. */
  async function tabTo(page: Page, wanted: string): Promise<void> {
    for (let n = 0; n < 40; n++) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(
        "[document.activeElement.id, document.activeElement.textContent.trim()]",
      );
      if (Array.isArray(focused) && focused.some((one) => String(one).startsWith(wanted))) return;
    }
    throw new Error(`The keyboard does not reach "${wanted}".`);
  }

  test("one's own messages stay on one's own side, whoever one is now, and those of others do not", async () => {
    const page = await open(desktop);
    await isConnectedAs(page, "a guest");
    await say(page, "as a guest");
    await hears(page, "guest", "as a guest");
    await logIn(page, "Ada");
    const second = await chat.open(page.context());
    await say(second, "as Ada");
    const other = await open(desktop);
    await logIn(other, "Grace");
    await say(other, "as Grace");
    await press(page, "Log out");
    await isConnectedAs(page, "a guest");
    const third = await chat.open(page.context());
    for (const tab of [page, second, third]) {
      await hears(tab, "Ada", "as Ada");
      expect(await tab.locator("article.own .text").allTextContents()).toEqual(["as a guest", "as Ada"]);
    }
    await hears(other, "Grace", "as Grace");
    expect(await other.locator("article.own .text").allTextContents()).toEqual(["as Grace"]);
  });
});
