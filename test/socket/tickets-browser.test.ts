/** A page in Chromium whose sockets are on another site: third-party cookies are blocked, so only a ticket gets it in. */
import type { BrowserContext, Page, Route } from "playwright-core";
import { memoryStore } from "socket-session/memory";
import { signIn } from "socket-session/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openProfile, type Profile } from "../../apps/chat/test/chromium.ts";
import { chromiumPath, describeWithChromium } from "../setup/services.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { startWorld, type World } from "../support/world.ts";

/** Shorter than an unproven connection may stay open. */
const ticketMs = 5_000;

/** Shows all that happens to its socket, line by line. With `?cookie` it connects with its cookie, and else by a ticket. */
const pageOf = (sockets: string) => `<!doctype html><title>A page</title>
<ol id="log"></ol>
<script src="/socket.io/socket.io.js"></script>
<script>
  const query = new URLSearchParams(location.search);
  const show = (text) => document.getElementById("log").appendChild(document.createElement("li")).append(text);
  const auth = async (send) => {
    const response = await fetch("/session/ticket", { method: "POST" });
    const { ticket } = await response.json();
    send({ ticket });
  };
  const how = query.has("cookie") ? { withCredentials: true } : { auth };
  const socket = io("${sockets}", { transports: query.getAll("transport"), reconnectionDelay: 20, ...how });
  socket.on("welcome", show);
  socket.on("session:end", ({ reason }) => show("session:end " + reason));
  socket.on("disconnect", (reason) => show("disconnect: " + reason));
  socket.on("connect_error", ({ data }) => {
    show("refused: " + data?.code);
    if (data?.code === "TICKET_INVALID") socket.connect(); // with another ticket
  });
</script>`;

describeWithChromium("a page whose sockets are on another site", { timeout: 60_000 }, () => {
  const profiles: Profile[] = [];
  let blocking: BrowserContext;
  let allowing: BrowserContext;
  let clock: ManualClock;
  /** `localhost` and `127.0.0.1` are two sites, with a cookie of each. */
  let pages: World;
  let sockets: World;
  let origin: string;

  async function open(thirdPartyCookies: "allowed" | "blocked"): Promise<BrowserContext> {
    const profile = await openProfile(chromiumPath(), { thirdPartyCookies });
    profiles.push(profile);
    profile.context.setDefaultTimeout(10_000);
    return profile.context;
  }

  beforeAll(async () => {
    [blocking, allowing] = [await open("blocked"), await open("allowed")];
  }, 60_000);
  afterAll(async () => {
    for (const profile of profiles) await profile.close();
  });

  beforeEach(async () => {
    clock = new ManualClock();
    const shared = { store: memoryStore({ clock }), clock, ticketMs };
    pages = await startWorld({
      ...shared,
      routes(app, sessions) {
        app.use("/session", sessions.routes());
        app.get("/", (_req, res) => void res.send(pageOf(sockets.url)));
      },
    });
    origin = pages.url.replace("127.0.0.1", "localhost");
    sockets = await startWorld({
      ...shared,
      origins: [origin],
      io: { cors: { origin, credentials: true } },
      sockets: (io) =>
        void io.on("connection", (socket) => {
          const { cookie = "no cookie" } = socket.handshake.headers;
          const by = socket.conn.transport.name;
          socket.emit("welcome", `${socket.session.data.name} by ${by} with ${cookie}`);
        }),
    });
  });
  afterEach(async () => {
    for (const { context } of profiles) {
      for (const page of context.pages()) await page.close();
      await context.clearCookies();
    }
    await sockets.close();
    await pages.close();
  });

  describe.each(["polling", "websocket"])("by %s", (transport) => {
    const welcome = `ada by ${transport} with no cookie`;

    async function visit(context: BrowserContext, query = ""): Promise<Page> {
      const page = await context.newPage();
      await page.goto(`${origin}/?transport=${transport}${query}`);
      return page;
    }

    async function logIn(): Promise<void> {
      const headers = { "content-type": "application/json" };
      await blocking.request.post(`${origin}/login`, { headers, data: { name: "ada" } });
    }

    const shown = (page: Page) => page.getByRole("listitem").allTextContents();
    const shows = (page: Page, lines: string[]) => expect.poll(() => shown(page)).toEqual(lines);

    test("does not get in by a cookie, though the browser has it: it is blocked as a third party's", async () => {
      const cookie = await signIn(sockets.sessions, { name: "ada" });
      const [name = "", value = ""] = cookie.split("=");
      const thirdParty = {
        name,
        value,
        domain: "127.0.0.1",
        path: "/",
        sameSite: "None",
        secure: true,
      } as const;
      for (const context of [allowing, blocking]) await context.addCookies([thirdParty]);
      await shows(await visit(allowing, "&cookie"), [`ada by ${transport} with ${cookie}`]);
      await shows(await visit(blocking, "&cookie"), ["refused: SESSION_REQUIRED"]);
    });

    test("gets in by a ticket; again after a reload, and in a second tab; a logout closes both", async () => {
      await logIn();
      const page = await visit(blocking);
      await shows(page, [welcome]);
      await page.reload();
      await shows(page, [welcome]);
      const second = await visit(blocking);
      await shows(second, [welcome]);
      await page.evaluate(async () => (await fetch("/logout", { method: "POST" })).text());
      const over = [welcome, "session:end destroyed", "disconnect: io server disconnect"];
      for (const tab of [page, second]) await shows(tab, over);
      await expect.poll(() => sockets.io.engine.clientsCount).toBe(0);
    });

    test("reconnects by another ticket", async () => {
      await logIn();
      const page = await visit(blocking);
      await shows(page, [welcome]);
      for (const socket of sockets.io.sockets.sockets.values()) socket.conn.close();
      await shows(page, [welcome, expect.stringMatching(/^disconnect: transport/), welcome]);
    });

    test("whose ticket comes too late gets in by the next one", async () => {
      await logIn();
      let tickets = 0;
      await blocking.route("**/session/ticket", async (route: Route) => {
        const response = await route.fetch();
        if (++tickets === 1) await clock.advance(ticketMs);
        await route.fulfill({ response });
      });
      await shows(await visit(blocking), ["refused: TICKET_INVALID", welcome]);
      await blocking.unroute("**/session/ticket");
      expect(tickets).toBe(2);
    });

    test("that is not logged in reads why", async () => {
      await shows(await visit(blocking), ["refused: SESSION_REQUIRED"]);
    });
  });
});
