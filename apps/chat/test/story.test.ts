import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page, WebSocket } from "playwright-core";
import { sqliteStore } from "socket-session/sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ring } from "../../../test/setup/ring.ts";
import { chromiumPath, describeWithChromium } from "../../../test/setup/services.ts";
import { type Chat, createChat } from "../server/create-chat.ts";
import { type BuiltPage, buildPage } from "./build-page.ts";
import { launchChromium } from "./chromium.ts";
import { hears, isConnectedAs, logIn, say, shows } from "./on-page.ts";

describeWithChromium("in a browser", { timeout: 60_000 }, () => {
  let built: BuiltPage;
  let browser: Browser;
  let folder: string;
  let chat: Chat;
  let url: string;
  let errors: Error[];
  const webSockets = new WeakMap<Page, WebSocket[]>();

  beforeAll(async () => {
    built = await buildPage();
    browser = await launchChromium(chromiumPath());
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await built?.remove();
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "chat-story-"));
    const store = sqliteStore({ path: join(folder, "chat.sqlite") });
    chat = createChat({ store, secret: "a secret of thirty-two characters", pageDir: built.dir });
    url = `http://localhost:${await chat.listen(0)}`;
    errors = [];
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await chat.close();
    rmSync(folder, { recursive: true, force: true });
    expect(errors).toEqual([]);
  });

  /** Another tab of this browser, or one in a browser of its own; what its scripts throw fails the test. */
  async function open(context?: BrowserContext): Promise<Page> {
    const page = await (context ?? (await browser.newContext())).newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => errors.push(error));
    page.on("websocket", (webSocket) => webSockets.set(page, [...(webSockets.get(page) ?? []), webSocket]));
    await page.goto(url);
    return page;
  }

  test("a newcomer logs in, chats in two tabs, renames himself and logs out; a second visitor sees it all", async () => {
    const newcomer = await open();
    await isConnectedAs(newcomer, "a guest");
    const other = await browser.newContext();
    await other.request.post(`${url}/login`, { form: { name: "Grace" } });
    const visitor = await open(other);
    await isConnectedAs(visitor, "Grace");

    await logIn(newcomer, "Ada");
    const secondTab = await open(newcomer.context());
    await isConnectedAs(secondTab, "Ada");
    await say(newcomer, "Hello from the first tab");
    await say(secondTab, "and from the second");
    for (const page of [visitor, newcomer, secondTab]) {
      await hears(page, "Ada", "Hello from the first tab");
      await hears(page, "Ada", "and from the second");
    }
    const people = visitor.getByRole("region", { name: "Here now" }).getByRole("listitem");
    expect((await people.allTextContents()).map((text) => text.slice(1))).toEqual(["Ada", "Grace (you)"]);

    await newcomer.getByText("Change name").click();
    await newcomer.getByLabel("New name").fill("Countess");
    await newcomer.getByRole("button", { name: "Rename" }).click();
    await isConnectedAs(newcomer, "Countess");
    await say(secondTab, "my very next words");
    await hears(visitor, "Countess", "my very next words");
    await isConnectedAs(secondTab, "Countess");

    await newcomer.getByRole("button", { name: "Log out" }).click();
    await isConnectedAs(newcomer, "a guest");
    await shows(secondTab, "You are logged out. It happened in another tab or window of this browser.");
    await secondTab.getByRole("status").filter({ hasText: "Not connected" }).waitFor();
    expect(await secondTab.getByLabel("Message").isVisible()).toBe(false);

    await visitor.getByRole("listitem").filter({ hasText: "1 guest" }).waitFor();
    await say(visitor, "Goodbye!");
    await hears(newcomer, "Grace", "Goodbye!");
    const [only, ...others] = webSockets.get(visitor) ?? [];
    expect([only?.isClosed(), others]).toEqual([false, []]);
    expect(await secondTab.getByText("Goodbye!").count()).toBe(0);
  });

  // The other features of the page's scripts, on which no promise of the package depends.
  if (ring !== "product") return;
  test("the plain form renames without any script of the page's", async () => {
    const page = await open();
    await logIn(page, "Ada");
    const secondTab = await open(page.context());
    await isConnectedAs(secondTab, "Ada");
    await page.getByText("Change name").click();
    await page.getByLabel("New name").fill("Countess");
    await page.locator("#rename").evaluate((form: { submit(): void }) => form.submit());
    await isConnectedAs(page, "Countess");
    await say(secondTab, "It worked");
    await hears(page, "Countess", "It worked");
  });

  test("a login in one tab brings its other tabs along, also those whose session was over", async () => {
    const page = await open();
    const secondTab = await open(page.context());
    await isConnectedAs(secondTab, "a guest");
    await logIn(page, "Ada");
    await isConnectedAs(secondTab, "Ada");
    await page.getByRole("button", { name: "Log out" }).click();
    await shows(secondTab, "You are logged out.");
    await logIn(page, "Grace");
    await isConnectedAs(secondTab, "Grace");
  });

  test("what is wrong is said where it is: in a name, in a message, in the cookie", async () => {
    const page = await open();
    await page.getByLabel("Your name").fill("guest");
    await page.getByRole("button", { name: "Log in" }).click();
    await shows(page, "Guests are called that. Please choose another name.");
    expect(new URL(page.url()).search).toBe("");
    await say(page, "x".repeat(501));
    await shows(page, "a message has at most 500 characters");
    for (let n = 1; n <= 5; n++) {
      await say(page, `message ${n}`);
      await hears(page, "guest", `message ${n}`);
    }
    await say(page, "message 6");
    await shows(page, "You can send again in");
    expect(await page.getByLabel("Message").inputValue()).toBe("message 6");

    await page.context().addCookies([{ name: "sid", value: "s%3Aforged.signature", url }]);
    await page.reload();
    await shows(page, "This browser's cookie is not valid here.");
    await logIn(page, "Ada");
  });

  test("a server that goes away and comes back is waited for", async () => {
    const page = await open();
    await logIn(page, "Ada");
    await chat.close();
    await page.getByRole("status").filter({ hasText: "Connection lost" }).waitFor();
    const store = sqliteStore({ path: join(folder, "chat.sqlite") });
    chat = createChat({ store, secret: "a secret of thirty-two characters", pageDir: built.dir });
    await chat.listen(Number(new URL(url).port));
    await isConnectedAs(page, "Ada");
  });
});
