/** An application whose page uses the library's client, for tests in Chromium. */
import type { Express } from "express";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { SessionSnapshot } from "socket-session/client";
import { chromiumPath } from "../setup/services.ts";
import { bundle } from "./bundle.ts";

/** Playwright switches the back/forward cache off by default. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath(),
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  });

/** Shows its state as its title; `window.page` is its inside. `?transport=` and `?namespace=` are those of its sockets. */
const pageText = `<!doctype html><title>connecting</title>
<script src="/socket.io/socket.io.js"></script>
<script type="module">
  import { sessionClient } from "/client.js";
  const query = new URLSearchParams(location.search);
  const transports = query.has("transport") ? query.getAll("transport") : ["polling", "websocket"];
  const options = { transports, reconnectionDelay: 50, reconnectionDelayMax: 100 };
  const open = (namespace) => {
    const socket = io(namespace, options);
    const session = sessionClient(socket, { routes: "/session" });
    const states = [];
    session.on("change", ({ state }) => states.push(state));
    return { socket, session, states };
  };
  const page = (window.page = open("/"));
  page.others = query.getAll("namespace").map(open);
  const show = () => { document.title = page.session.getSnapshot().state; };
  page.session.subscribe(show);
  show();
  addEventListener("pageshow", ({ persisted }) => { page.isRestored = persisted; });
</script>`;

/** Adds the page and its module. */
export async function pageRoutes(): Promise<(app: Express) => void> {
  const { code } = await bundle("src/client/index.ts");
  return (app) => {
    app.get("/", (_req, res) => void res.send(pageText));
    app.get("/elsewhere", (_req, res) => void res.send("<!doctype html><title>elsewhere</title>"));
    app.get("/client.js", (_req, res) => void res.type("js").send(code));
  };
}

export async function visit(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Resolves when the page has this state. */
export const hasState = (page: Page, state: SessionSnapshot["state"]) =>
  page.waitForFunction(`document.title === ${JSON.stringify(state)}`);

export const snapshotOf = (page: Page) =>
  page.evaluate<SessionSnapshot<{ name: string }>>("page.session.getSnapshot()");

export const statesOf = (page: Page) => page.evaluate<string[]>("page.states");

/** Logs in over HTTP as the page does. */
export const logIn = (page: Page, name: string) =>
  page.evaluate(`fetch("/login", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ name: "${name}" })
  }).then((response) => response.text())`);

export const logOut = (page: Page) =>
  page.evaluate(`fetch("/logout", { method: "POST" }).then((response) => response.text())`);
