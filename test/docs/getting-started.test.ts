/** The blocks of getting started, put together as it says, and run. */
import type { Browser as Chromium, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchChromium } from "../../apps/chat/test/chromium.ts";
import { chromiumPath, describeWithChromium } from "../setup/services.ts";
import { Browser, disconnected, refused } from "../support/browser.ts";
import { compile } from "./compile.ts";
import { type CodeBlock, documentAt } from "./markdown.ts";
import { applyDiff, putTogether } from "./parts.ts";
import { type ExpressVersion, Project } from "./project.ts";

const guide = documentAt("docs/guide/getting-started.md");
const ofLanguage = (language: string, of: RegExp): CodeBlock => {
  const found = guide.blocks.find((block) => block.language === language && of.test(block.code));
  if (!found) throw new Error(`The guide has no block of ${language} with ${of}.`);
  return found;
};
const [makeSecret = "", run = ""] = ofLanguage("sh", /--env-file/).code.split("\n");
const programOf = (isExpress4: boolean) => putTogether(guide, { isExpress4 }).get("app.mjs") ?? "";

let project: Project | undefined;
afterEach(() => project?.close());

async function start(
  express: ExpressVersion,
  change = (program: string) => program,
  file = "app.mjs",
): Promise<Project> {
  project = new Project(express);
  for (const [name, text] of putTogether(guide, { isExpress4: express === "4" })) {
    if (name === "app.mjs") project.write(file, change(text));
    else project.write(name, text);
  }
  await project.run(makeSecret);
  await project.start(run.replace("app.mjs", file));
  return project;
}

const form = (name: string) => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams({ name }).toString(),
});

const asCommonJs = (program: string) => {
  const imports = /^import [\s\S]*?(?=\n\n)/m;
  return program.replace(imports, ofLanguage("js", /^\/\/ app\.cjs\n/).code);
};

describe.each<[express: ExpressVersion, file: string, change: (program: string) => string]>([
  ["5", "app.mjs", (program) => program],
  ["4", "app.mjs", (program) => program],
  ["5", "app.cjs", asCommonJs],
])("getting started, on Express %s, as %s", (express, file, change) => {
  test("logs in, renames by socket and by request, and closes at the logout", async () => {
    const { url } = await start(express, change, file);
    const ada = new Browser(url);
    expect((await refused(ada.socket())).data).toEqual({ code: "SESSION_REQUIRED" });
    await ada.request("/login", form("Ada"));
    const socket = ada.socket();
    const names: unknown[] = [];
    socket.on("name", (name) => names.push(name));
    await expect.poll(() => names).toEqual(["Ada"]);
    socket.emit("rename", "Countess");
    await expect.poll(() => names).toEqual(["Ada", "Countess"]);
    expect(await ada.request("/rename", form("Lovelace"))).toEqual({ status: 200, body: "renamed" });
    await expect.poll(() => names).toEqual(["Ada", "Countess", "Lovelace"]);
    const [told, gone] = [
      new Promise((resolve) => socket.once("session:end", resolve)),
      disconnected(socket),
    ];
    await ada.post("/logout");
    expect([await told, await gone]).toEqual([{ reason: "destroyed" }, "io server disconnect"]);
    ada.close();
  });
});

describe.each<[ExpressVersion]>([["5"], ["4"]])(
  "an async route of getting started, on Express %s",
  (express) => {
    test("answers 401 to a visitor who logs out in the middle, and the process goes on", async () => {
      const { url } = await start(express);
      const statuses = new Set<number>();
      while (!statuses.has(401)) {
        const ada = new Browser(url);
        await ada.request("/login", form("Ada"));
        const renames = Array.from({ length: 10 }, () => ada.request("/rename", form("Countess")));
        const [, ...answers] = await Promise.all([ada.request("/logout", { method: "POST" }), ...renames]);
        for (const { status } of answers) statuses.add(status);
      }
      expect(await new Browser(url).get("/")).toContain("Getting started");
    });
  },
);

describeWithChromium("getting started in a browser", { timeout: 60_000 }, () => {
  let chromium: Chromium;
  const errors: Error[] = [];
  beforeAll(async () => {
    chromium = await launchChromium(chromiumPath());
  }, 60_000);
  afterEach(async () => {
    for (const context of chromium.contexts()) await context.close();
    expect(errors.splice(0)).toEqual([]);
  });
  afterAll(() => chromium?.close());

  /** Opens the page in tabs of one browser. */
  async function open(url: string, tabs: number): Promise<Page[]> {
    const context = await chromium.newContext();
    context.setDefaultTimeout(10_000);
    const pages: Page[] = [];
    for (let tab = 0; tab < tabs; tab++) {
      const page = await context.newPage();
      page.on("pageerror", (error) => errors.push(error));
      await page.goto(url);
      pages.push(page);
    }
    return pages;
  }
  const says = (page: Page, text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();
  const submit = async (page: Page, label: string, text: string) => {
    await page.getByLabel(label).fill(text);
    await page.getByLabel(label).press("Enter");
  };

  test("what the guide says to try: refused, in, renamed, restarted, logged out", async () => {
    const started = await start("5");
    const [page, secondTab] = await open(started.url, 2);
    if (!page || !secondTab) throw new Error("There are no pages.");
    await says(page, "Not let in (SESSION_REQUIRED).");
    await says(secondTab, "Not let in (SESSION_REQUIRED).");
    await submit(page, "Your name", "Ada");
    await says(page, "You are Ada.");
    await secondTab.reload();
    await says(secondTab, "You are Ada.");
    await submit(secondTab, "New name", "Countess");
    for (const tab of [page, secondTab]) await says(tab, "You are Countess.");
    await started.stop();
    await says(page, "No connection, trying again …");
    await started.start(run);
    for (const tab of [page, secondTab]) await says(tab, "You are Countess.");
    await page.getByRole("button", { name: "Log out" }).click();
    for (const tab of [page, secondTab]) await says(tab, "Logged out (destroyed).");
  });

  test("guests are let in after the change that the guide shows", async () => {
    const { code } = ofLanguage("diff", /guests/);
    const { url } = await start("5", (program) => applyDiff(program, code));
    const [page] = await open(url, 1);
    if (!page) throw new Error("There is no page.");
    await says(page, "You are a guest.");
    await submit(page, "Your name", "Ada");
    await says(page, "You are Ada.");
  });
});

test("getting started compiles as TypeScript, with what the guide adds to it", async () => {
  const declared = ofLanguage("ts", /^declare module/).code;
  const safely = ofLanguage("ts", /const safely/).code;
  const untyped = /\/\*\* Passes the rejection[\s\S]*?\n};\n/;
  const program = programOf(true);
  expect(program).toMatch(untyped);
  const sources = [programOf(false), program.replace(untyped, () => safely)].map((code) => ({
    ...{ name: guide.file, line: 1, extension: "mts" as const },
    code: `${code}\n${declared}`,
  }));
  expect(await compile(sources)).toEqual([]);
  expect(
    (
      await compile(sources.map(({ code, ...rest }) => ({ ...rest, code: code.replace(declared, "") })))
    ).join(),
  ).toContain("'name' does not exist");
});
