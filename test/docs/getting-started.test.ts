/** What getting started adds to the quick start, put in as it says, and run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser as Chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchChromium } from "../../apps/chat/test/chromium.ts";
import { chromiumPath, describeWithChromium } from "../setup/services.ts";
import { Browser } from "../support/browser.ts";
import { applyDiff } from "./diffs.ts";
import { documentAt, root } from "./markdown.ts";
import { type ExpressVersion, Project } from "./project.ts";
import { replaceAll } from "./proxy.ts";

const guide = documentAt("docs/guide/getting-started.md");
const codeOf = (language: string, of: RegExp): string => {
  const found = guide.blocks.find(({ language: its, code }) => its === language && of.test(code));
  if (!found) throw new Error(`The guide has no block of ${language} with ${of}.`);
  return found.code;
};
const [makeSecret = "", run = ""] = codeOf("sh", /--env-file/).split("\n");
const quickStart = readFileSync(join(root, "examples/quick-start.mjs"), "utf8");

let project: Project | undefined;
afterEach(() => project?.close());

async function start(program: string, express: ExpressVersion = "5", command = "node quick-start.mjs") {
  project = new Project(express);
  project.write("quick-start.mjs", program);
  if (command === run) await project.run(makeSecret);
  await project.start(command);
  return project;
}

const logIn = (browser: Browser) =>
  browser.request("/login", { method: "POST", body: new URLSearchParams({ name: "Ada" }) });

/** What the sockets of a visitor are shown. */
async function watch(browser: Browser): Promise<unknown[]> {
  const shown: unknown[] = [];
  browser.socket().on("session", (session) => shown.push(session));
  await expect.poll(() => shown.length).toBe(1);
  return shown;
}

describe("sessions that outlive a restart", () => {
  const program = () => applyDiff(quickStart, codeOf("diff", /sqliteStore/));

  test("keep users logged in", async () => {
    const started = await start(program(), "5", run);
    const ada = new Browser(started.url);
    await logIn(ada);
    await started.stop();
    await started.start(run);
    expect(await watch(ada)).toEqual([{ name: "Ada", clicks: 0 }]);
    ada.close();
  });

  test("need a secret, which the error names", async () => {
    project = new Project("5");
    project.write("quick-start.mjs", program());
    await expect(project.run("node quick-start.mjs")).rejects.toThrow("SESSION_SECRET");
  });
});

describe.each<[express: ExpressVersion, route: string]>([
  ["5", codeOf("js", /^app\.post\("\/click"/)],
  ["4", codeOf("js", /const safely/)],
])("the session in requests, on Express %s", (express, route) => {
  const program = applyDiff(
    quickStart,
    ` \n+${route.replaceAll("\n", "\n+")}\n+\n const server = createServer(app);`,
  );

  test("is that of the sockets", async () => {
    const { url } = await start(program, express);
    const ada = new Browser(url);
    expect((await ada.request("/click", { method: "POST" })).status).toBe(401);
    await logIn(ada);
    const shown = await watch(ada);
    expect(await ada.post("/click")).toBe("clicked");
    await expect.poll(() => shown.at(-1)).toEqual({ name: "Ada", clicks: 1 });
    ada.close();
  });

  test("is over with 401 for a visitor who logs out in the middle, and the process goes on", async () => {
    const update = "await session.update(";
    const waits = `console.log("waiting");
      await new Promise((resolve) => process.once("logged out", resolve));
      ${update}`;
    const logout = 'sessions.logout(req, res).then(() => res.redirect("/"), next);';
    const announces = `${logout.slice(0, -1)}.then(() => process.emit("logged out"));`;
    const started = await start(replaceAll(program, { [update]: waits, [logout]: announces }), express);
    const ada = new Browser(started.url);
    await logIn(ada);
    const click = ada.request("/click", { method: "POST" });
    await expect.poll(() => started.output).toContain("waiting");
    await ada.request("/logout", { method: "POST" });
    expect((await click).status).toBe(401);
    expect(await ada.get("/")).toContain("One session, all tabs");
  });
});

describeWithChromium("guests", { timeout: 60_000 }, () => {
  let chromium: Chromium;
  beforeAll(async () => {
    chromium = await launchChromium(chromiumPath());
  }, 60_000);
  afterAll(() => chromium?.close());

  test("are let in after the change that the guide shows", async () => {
    const { url } = await start(applyDiff(quickStart, codeOf("diff", /guests/)));
    const page = await chromium.newPage();
    page.setDefaultTimeout(10_000);
    const says = (text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();
    await page.goto(url);
    await says("You are a guest.");
    await page.getByLabel("Your name").fill("Ada");
    await page.getByLabel("Your name").press("Enter");
    await says("You are Ada. Clicks in all tabs: 0.");
    await page.close();
  });
});
