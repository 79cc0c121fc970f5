/** The chat with its sockets on another host than its page, as `npm run start:split` starts it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { freePort, isListening } from "../../../scripts/services/ports.mjs";
import { chromiumPath, describeWithChromium } from "../../../test/setup/services.ts";
import { type BuiltPage, buildPage } from "./build-page.ts";
import { openProfile, type Profile } from "./chromium.ts";
import { hasStatus, hears, isConnectedAs, logIn, say, shows, tells } from "./on-page.ts";
import { StartedChat } from "./started-chat.ts";

describeWithChromium("in a browser that blocks third-party cookies", { timeout: 90_000 }, () => {
  let built: BuiltPage;
  let profile: Profile;
  let folder: string;
  let chat: StartedChat;
  let port: number;
  let sockets: string;
  let errors: Error[];

  beforeAll(async () => {
    built = await buildPage();
    profile = await openProfile(chromiumPath(), { thirdPartyCookies: "blocked" });
    profile.context.setDefaultTimeout(30_000); // a client that has lost its connection waits between its attempts
  }, 60_000);
  afterAll(async () => {
    await profile?.close();
    await built?.remove();
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "chat-split-"));
    port = await twoPorts();
    sockets = `http://127.0.0.1:${port + 1}`;
    chat = await startChat();
    errors = [];
  });
  afterEach(async () => {
    await chat.close();
    rmSync(folder, { recursive: true, force: true });
    expect(errors).toEqual([]);
  });

  function startChat(): Promise<StartedChat> {
    const variables = { STORE: `file:${folder}/chat.sqlite`, PORT: String(port) };
    return new StartedChat({ flag: "--split", pageDir: built.dir, folder, variables }).start();
  }

  /** A free port after which the next one is free too. */
  async function twoPorts(): Promise<number> {
    for (;;) {
      const port = await freePort();
      if (!(await isListening(port + 1))) return port;
    }
  }

  async function open(): Promise<Page> {
    const page = await profile.context.newPage();
    page.on("pageerror", (error) => errors.push(error));
    await page.goto(chat.url);
    return page;
  }

  test("a guest logs in, chats in two tabs, and logs out: all without a cookie for the sockets", async () => {
    const page = await open();
    await isConnectedAs(page, "a guest");
    const webSocket = page.waitForEvent("websocket");
    await logIn(page, "Ada");
    expect((await webSocket).url()).toContain(sockets.replace("http", "ws"));
    await tells(page, /^Connected to 127\.0\.0\.1:\d+ without a cookie: a ticket/);
    await page.getByRole("button", { name: "Connect again without a cookie" }).click();
    await expect.poll(() => page.getByText("without a cookie: a ticket").count()).toBe(2);
    const second = await open();
    await isConnectedAs(second, "Ada");
    await say(page, "Hello from the first tab");
    for (const tab of [page, second]) await hears(tab, "Ada", "Hello from the first tab");

    await page.getByRole("button", { name: "Log out" }).click();
    await isConnectedAs(page, "a guest");
    await shows(second, "You are logged out. It happened in another tab or window of this browser.");
    await logIn(page, "Grace");
    await isConnectedAs(second, "Grace");
    expect((await profile.context.cookies()).map(({ domain }) => domain)).toEqual(["localhost"]);
  });

  test("a tab gets in again after a restart, though it can't get a ticket at first, and then gets one that is late", async () => {
    const page = await open();
    await logIn(page, "Ada");
    const answers: ((route: Route) => Promise<void>)[] = [
      (route) => route.abort(),
      (route) => route.fulfill({ json: { ticket: "x".repeat(43) } }),
      (route) => route.continue(),
    ];
    await page.route("**/session/ticket", (route) => answers.shift()?.(route));
    await chat.close();
    await hasStatus(page, "Reconnecting…");
    chat = await startChat();
    await isConnectedAs(page, "Ada");
    expect(answers).toEqual([]);
  });

  test("the page may reach its own sockets and no others, and they serve nothing else", async () => {
    const { headers } = await chat.visitor().request("/");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy.split("; ")).toContain(`connect-src 'self' ${sockets} ${sockets.replace("http", "ws")}`);
    expect((await fetch(sockets)).status).toBe(404);
  });
});
