/** `sessions.logout(req, res)` in a browser, which decides itself what removes a cookie and what clears its storage. */
import type { Browser as Chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { launchChromium } from "../../apps/chat/test/chromium.ts";
import { chromiumPath, describeWithChromium } from "../setup/services.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

describeWithChromium("a logout in a browser", { timeout: 60_000 }, () => {
  let chromium: Chromium;
  let world: World | undefined;
  beforeAll(async () => {
    chromium = await launchChromium(chromiumPath());
  }, 60_000);
  afterEach(async () => {
    for (const context of chromium.contexts()) await context.close();
    await world?.close();
  });
  afterAll(() => chromium?.close());

  async function open(options: WorldOptions) {
    const started = await startWorld({
      ...options,
      routes: (app, sessions) => {
        app.get("/app/", (_req, res) => void res.send("<!doctype html><title>Page</title>"));
        app.post("/app/login", (req, res, next) => {
          res.cookie("theme", "dark");
          sessions.login(req, { name: "ada" }).then(() => res.send("in"), next);
        });
        app.post("/app/logout", (req, res, next) => {
          sessions.logout(req, res, { clearSiteData: ["storage"] }).then(() => res.send("out"), next);
        });
      },
    });
    world = started;
    const context = await chromium.newContext({ extraHTTPHeaders: { "x-forwarded-proto": "https" } });
    const page = await context.newPage();
    await page.goto(new URL("/app/", started.url).href);
    const post = (path: string) =>
      page.evaluate(async (to) => (await fetch(to, { method: "POST" })).text(), path);
    const names = async () => (await context.cookies()).map(({ name }) => name).sort();
    return { page, post, names };
  }

  test.each<[string, WorldOptions]>([
    ["the defaults", {}],
    ["a path and a life time", { cookie: { path: "/app", maxAge: 60_000, sameSite: "strict" } }],
    ["auto", { proxy: true, cookie: { secure: "auto", sameSite: "lax" } }],
    ["a name with the prefix __Host-", { name: "__Host-sid", proxy: true, cookie: { secure: true } }],
    [
      "a partition",
      { name: "__Host-sid", proxy: true, cookie: { secure: true, sameSite: "none", partitioned: true } },
    ],
  ])("removes the session's cookie and no other: %s", async (_name, options) => {
    const { post, names } = await open(options);
    expect(await post("/app/login")).toBe("in");
    expect(await names()).toEqual([options.name ?? "sid", "theme"]);
    expect(await post("/app/logout")).toBe("out");
    expect(await names()).toEqual(["theme"]);
  });

  test("clears what it is asked to", async () => {
    const { page, post } = await open({});
    const stored = () => page.evaluate(() => localStorage.getItem("draft"));
    await post("/app/login");
    await page.evaluate(() => localStorage.setItem("draft", "a letter"));
    expect(await stored()).toBe("a letter");
    await post("/app/logout");
    await page.reload();
    expect(await stored()).toBeNull();
  });
});
