// node --conditions=socket-session-source apps/chat/test/picture.ts: takes the pictures in docs/ that the README shows.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContextOptions, Page } from "playwright-core";
import { startRedis } from "../../../scripts/services/redis.mjs";
import { findBinary, services } from "../../../scripts/services.mjs";
import { buildPage } from "./build-page.ts";
import { launchChromium } from "./chromium.ts";
import { StartedChat } from "./started-chat.ts";

const docs = fileURLToPath(new URL("../../../docs/", import.meta.url));
const service = services.find(({ name }) => name === "chromium");
const executablePath = process.env.CHROMIUM_PATH ?? (service && findBinary(service));
if (!executablePath) throw new Error("There is no Chromium here. Set CHROMIUM_PATH to a binary.");

const built = await buildPage();
const folder = mkdtempSync(join(tmpdir(), "chat-picture-"));
const redis = await startRedis();
const variables = { STORE: redis.url };
const chat = await new StartedChat({ flag: "--cluster", pageDir: built.dir, folder, variables }).start();
const browser = await launchChromium(executablePath);

const desk: BrowserContextOptions = { viewport: { width: 1240, height: 740 }, deviceScaleFactor: 1.25 };
const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  colorScheme: "dark",
  hasTouch: true,
  isMobile: true,
  userAgent:
    "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
};

async function logIn(name: string, options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(chat.url);
  await page.getByRole("status").filter({ hasText: "Connected as a guest" }).waitFor();
  if (options.isMobile) await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Your name").press("Enter");
  await page
    .getByRole("status")
    .filter({ hasText: `Connected as ${name}` })
    .waitFor();
  if (options.isMobile) await page.keyboard.press("Escape");
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.getByLabel("Message").press("Enter");
  await page.getByRole("article").getByText(text).waitFor();
}

const open = (page: Page, fold: string | RegExp) => page.getByRole("button", { name: fold }).first().click();
const told = (page: Page, words: RegExp) => page.getByText(words).first().waitFor();

const ada = await logIn("Ada", desk);
const grace = await logIn("Grace", { ...desk, colorScheme: "dark" });
await say(grace, "Morning, Ada! How many tabs today?");
await say(ada, "Two, and my phone. The list shows me once.");
const pocket = await logIn("Ada", phone);
await told(ada, /^A new device is signed in as you/);
await say(pocket, "This is me too, from the phone.");
await say(grace, "And if you lose it?");
await say(ada, "Then I sign it out, from here.");
await say(grace, "Docs: https://socket.io/docs/v4/");
const lost = await logIn("Ada", phone);
await lost.getByRole("log").first().getByText("from here").waitFor();
await ada.getByRole("button", { name: "Make me an admin" }).click();
await told(ada, /^In the room/);

const chatting = await pocket.screenshot();
await open(pocket, /devices$/);
await pocket
  .getByRole("button", { name: /^Sign out Chrome on/ })
  .first()
  .waitFor();
const devices = await pocket.screenshot();
await ada
  .getByRole("button", { name: /^Sign out Chrome on Android/ })
  .first()
  .click();
await ada
  .getByRole("button", { name: /^Sign out Chrome on Android/ })
  .last()
  .waitFor();
const [ended] = await Promise.all([
  Promise.race(
    [pocket, lost].map(async (page) => {
      await page.getByText("You are signed out.").first().waitFor();
      return page;
    }),
  ),
  told(ada, /^Revoked on/),
]);
await ended.keyboard.press("Escape");
await ada.mouse.move(0, 0);
await ada.getByLabel("Message").focus();
await ada.getByLabel("Message").blur();
const desktop = await ada.screenshot();
const over = await ended.screenshot();

/** The views side by side, each in a frame. */
async function takePicture(
  name: string,
  views: readonly Buffer[],
  width: number,
  height: number,
  scale: number,
) {
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale });
  await page.setContent(`
    <style>
      body { margin: 4px; display: flex; justify-content: space-between }
      img { border-radius: 14px; outline: 2px solid #8884; height: ${height - 8}px }
    </style>
    ${views.map((png) => `<img src="data:image/png;base64,${png.toString("base64")}">`).join("")}
  `);
  await page.screenshot({ path: join(docs, name), omitBackground: true });
}
await takePicture("chat.png", [desktop], 1248, 748, 1.25);
await takePicture("chat-phone.png", [chatting, devices, over], 1210, 852, 1);

await browser.close();
await chat.close();
await redis.close();
await built.remove();
rmSync(folder, { recursive: true, force: true });
