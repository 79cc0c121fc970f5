// node apps/chat/test/picture.ts: takes docs/chat.png, two visitors' views of one conversation.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContextOptions, Page } from "playwright-core";
import { memoryStore } from "socket-session/memory";
import { findBinary, services } from "../../../scripts/services.mjs";
import { createChat } from "../server/create-chat.ts";
import { buildPage } from "./build-page.ts";
import { launchChromium } from "./chromium.ts";

const path = fileURLToPath(new URL("../../../docs/chat.png", import.meta.url));
const service = services.find(({ name }) => name === "chromium");
const executablePath = process.env.CHROMIUM_PATH ?? (service && findBinary(service));
if (!executablePath) throw new Error("There is no Chromium here. Set CHROMIUM_PATH to a binary.");

const built = await buildPage();
const chat = createChat({ store: memoryStore(), secret: "for a picture", pageDir: built.dir });
const url = `http://localhost:${await chat.listen(0)}`;
const browser = await launchChromium(executablePath);

async function logIn(name: string, options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(url);
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out" }).waitFor();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("log").getByText(text).waitFor();
}

const ada = await logIn("Ada", { viewport: { width: 820, height: 600 }, colorScheme: "light" });
const grace = await logIn("Grace", { viewport: { width: 360, height: 600 }, colorScheme: "dark" });
await say(grace, "Morning, Ada! How many tabs today?");
await say(ada, "Two. The list shows me once.");
await ada.getByText("Change name").click();
await ada.getByLabel("New name").fill("Countess Lovelace");
await ada.getByRole("button", { name: "Rename" }).click();
await ada.getByRole("status").filter({ hasText: "Countess" }).waitFor();
await say(ada, "And now I have a new name, without reconnecting.");
await say(grace, "I see it already.");
await ada.mouse.move(0, 0);
await grace.getByLabel("Message").blur();
await grace.mouse.wheel(0, 10_000);
await grace.waitForFunction("innerHeight + scrollY >= document.documentElement.scrollHeight - 1");
const views = [await ada.screenshot(), await grace.screenshot()].map((png) => png.toString("base64"));

const frame = await browser.newPage({ viewport: { width: 1200, height: 604 } });
await frame.setContent(`
  <style>
    body { margin: 2px; display: flex; justify-content: space-between }
    img { border-radius: 14px; outline: 2px solid #888 }
  </style>
  ${views.map((png) => `<img src="data:image/png;base64,${png}">`).join("")}
`);
mkdirSync(dirname(path), { recursive: true });
await frame.screenshot({ path, omitBackground: true });
await browser.close();
await chat.close();
await built.remove();
