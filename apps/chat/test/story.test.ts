import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "socket-session/sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ring } from "../../../test/setup/ring.ts";
import { describeWithChromium } from "../../../test/setup/services.ts";
import { ChatInBrowser } from "./chat-in-browser.ts";
import { hasStatus, hears, isConnectedAs, logIn, say, shows, tells } from "./on-page.ts";

describeWithChromium("in a browser", { timeout: 60_000 }, () => {
  let chat: ChatInBrowser;
  let folder: string;
  beforeAll(async () => {
    chat = await ChatInBrowser.launch();
  }, 60_000);
  afterAll(() => chat?.close());

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "chat-story-"));
    return start();
  });
  afterEach(async () => {
    expect(await chat.reset()).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = () => chat.start({ store: sqliteStore({ path: join(folder, "chat.sqlite") }) });

  test("a newcomer logs in, chats in two tabs, renames himself and logs out; a second visitor sees it all", async () => {
    const newcomer = await chat.open();
    await isConnectedAs(newcomer, "a guest");
    const other = await chat.context();
    await other.request.post(`${chat.url}/login`, { form: { name: "Grace" } });
    const visitor = await chat.open(other);
    await isConnectedAs(visitor, "Grace");

    await logIn(newcomer, "Ada");
    await tells(newcomer, /^Logged in as Ada: a new session with a new id/);
    const secondTab = await chat.open(newcomer.context());
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
    await hasStatus(secondTab, "Not connected");
    await tells(secondTab, 'The server closed this tab\'s socket: "destroyed".');
    expect(await secondTab.getByLabel("Message").isVisible()).toBe(false);

    await visitor.getByRole("listitem").filter({ hasText: "1 guest" }).waitFor();
    await say(visitor, "Goodbye!");
    await hears(newcomer, "Grace", "Goodbye!");
    const [only, ...others] = chat.webSocketsOf(visitor);
    expect([only?.isClosed(), others]).toEqual([false, []]);
    expect(await secondTab.getByText("Goodbye!").count()).toBe(0);
  });

  // The other features of the page's scripts, on which no promise of the package depends.
  if (ring !== "product") return;
  test("the plain forms log in and rename without any script of the page's", async () => {
    const page = await chat.open();
    await isConnectedAs(page, "a guest");
    await page.getByLabel("Your name").fill("Ada");
    await page.locator("#login").evaluate((form: { submit(): void }) => form.submit());
    await isConnectedAs(page, "Ada");
    const secondTab = await chat.open(page.context());
    await isConnectedAs(secondTab, "Ada");
    await page.getByText("Change name").click();
    await page.getByLabel("New name").fill("guest");
    await page.locator("#rename").evaluate((form: { submit(): void }) => form.submit());
    await shows(page, "Guests are called that. Please choose another name.");
    expect(new URL(page.url()).search).toBe("");
    await page.getByLabel("New name").fill("Countess");
    await page.locator("#rename").evaluate((form: { submit(): void }) => form.submit());
    await isConnectedAs(page, "Countess");
    await say(secondTab, "It worked");
    await hears(page, "Countess", "It worked");
  });

  test("a login in one tab brings its other tabs along, also those whose session was over", async () => {
    const page = await chat.open();
    const secondTab = await chat.open(page.context());
    await isConnectedAs(secondTab, "a guest");
    await logIn(page, "Ada");
    await isConnectedAs(secondTab, "Ada");
    await page.getByRole("button", { name: "Log out" }).click();
    await shows(secondTab, "You are logged out.");
    await logIn(page, "Grace");
    await isConnectedAs(secondTab, "Grace");
  });

  test("what is wrong with a message is said below it", async () => {
    const page = await chat.open();
    await isConnectedAs(page, "a guest");
    await say(page, "x".repeat(501));
    await shows(page, "a message has at most 500 characters");
    for (let n = 1; n <= 5; n++) {
      await say(page, `message ${n}`);
      await hears(page, "guest", `message ${n}`);
    }
    await say(page, "message 6");
    await shows(page, "You can send again in");
    expect(await page.getByLabel("Message").inputValue()).toBe("message 6");
  });

  test("a server that goes away and comes back is waited for", async () => {
    const page = await chat.open();
    await logIn(page, "Ada");
    await chat.stop();
    await hasStatus(page, "Reconnecting…");
    await start();
    await isConnectedAs(page, "Ada");
    await tells(page, /^Connected again after [\d.]+ s, in the same session/);
  });
});
