import type { Browser, BrowserContext, BrowserContextOptions, Page, WebSocket } from "playwright-core";
import { memoryStore } from "socket-session/memory";
import { chromiumPath } from "../../../test/setup/services.ts";
import { type Chat, type ChatOptions, createChat } from "../server/create-chat.ts";
import { type BuiltPage, buildPage } from "./build-page.ts";
import { launchChromium } from "./chromium.ts";

/** The built page in Chromium, of a chat in this process. */
export class ChatInBrowser {
  readonly #built: BuiltPage;
  readonly #browser: Browser;
  #chat: Chat | undefined;
  #url = "";
  /** What scripts of the page threw, and what it asked for that its own policy forbids. */
  readonly errors: string[] = [];
  readonly #webSockets = new WeakMap<Page, WebSocket[]>();

  private constructor(built: BuiltPage, browser: Browser) {
    this.#built = built;
    this.#browser = browser;
  }

  static async launch(): Promise<ChatInBrowser> {
    return new ChatInBrowser(await buildPage(), await launchChromium(chromiumPath()));
  }

  get url(): string {
    return this.#url;
  }

  /** Starts the chat, at the address of before if it had one. */
  async start(options: Partial<ChatOptions> = {}): Promise<void> {
    const fixed = { secret: "a secret of thirty-two characters", pageDir: this.#built.dir };
    this.#chat = createChat({ store: memoryStore(), ...fixed, ...options });
    this.#url = `http://localhost:${await this.#chat.listen(Number(new URL(this.#url || "http://localhost:0").port))}`;
  }

  async stop(): Promise<void> {
    await this.#chat?.close();
    this.#chat = undefined;
  }

  context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return this.#browser.newContext(options);
  }

  /** Another tab of this browser, or one in a browser of its own. */
  async open(context?: BrowserContext): Promise<Page> {
    const page = await (context ?? (await this.context())).newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) this.errors.push(message.text());
    });
    page.on("websocket", (one) => this.#webSockets.set(page, [...this.webSocketsOf(page), one]));
    await page.goto(this.#url);
    return page;
  }

  webSocketsOf(page: Page): readonly WebSocket[] {
    return this.#webSockets.get(page) ?? [];
  }

  /** After a test: closes its pages and its chat. Returns their errors. */
  async reset(): Promise<readonly string[]> {
    for (const context of this.#browser.contexts()) await context.close();
    await this.stop();
    this.#url = "";
    return this.errors.splice(0);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#built.remove();
  }
}
