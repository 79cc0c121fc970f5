/** The quick start of the README, run as it stands. */
import type { Browser as Chromium, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchChromium } from "../../apps/chat/test/chromium.ts";
import { chromiumPath, describeWithChromium } from "../setup/services.ts";
import { Browser, disconnected, refused } from "../support/browser.ts";
import { documentAt } from "./markdown.ts";
import { type ExpressVersion, Project } from "./project.ts";

const { blocks } = documentAt("README.md");
const blockOf = (language: string, of: RegExp): string => {
  const found = blocks.find((block) => block.language === language && of.test(block.code));
  if (!found) throw new Error(`The README has no block of ${language} with ${of}.`);
  return found.code;
};
const program = blockOf("js", /liveSessions/);
const declared = blockOf("ts", /declare module/);
const install =
  blockOf("sh", /^npm install/m)
    .split("\n")
    .at(-1) ?? "";
const [makeSecret = "", run = ""] = blockOf("sh", /--env-file/).split("\n");

const toCommonJs = (text: string) =>
  text.replaceAll(/^import (.*) from (".*");$/gm, "const $1 = require($2);");

let project: Project | undefined;
afterEach(() => project?.close());

async function start(file: string, text: string, express: ExpressVersion = "5"): Promise<Project> {
  project = new Project(express);
  project.write(file, text);
  await project.run(makeSecret);
  await project.start(run.replace("app.mjs", file));
  return project;
}

test("installs what the program imports, and what that asks for", () => {
  const imported = [...program.matchAll(/^import .* from "([^"/]+)/gm)].map(([, name = ""]) => name);
  const packages = imported.filter((name) => !name.startsWith("node:"));
  expect(packages).not.toEqual([]);
  expect(install.split(" ")).toEqual(expect.arrayContaining(["install", "express-session", ...packages]));
});

describe.each<[file: string, express: ExpressVersion, text: string]>([
  ["app.mjs", "5", program],
  ["app.mjs", "4", program],
  ["app.cjs", "5", toCommonJs(program)],
  ["app.cjs", "4", toCommonJs(program)],
  ["app.mts", "5", `${program}\n${declared}\n`],
])("the quick start as %s, on Express %s", (file, express, text) => {
  test("lets in who has logged in, sends, and closes at the logout", async () => {
    const started = await start(file, text, express);
    const ada = new Browser(started.url);
    expect(await ada.get("/")).toContain("<!doctype html>");
    expect((await refused(ada.socket())).data).toEqual({ code: "SESSION_REQUIRED" });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    await ada.request("/login", { method: "POST", headers, body: "name=Ada" });
    const [socket, otherTab] = [await ada.connect(), await ada.connect()];
    const heard = new Promise((resolve) => otherTab.once("message", resolve));
    socket.emit("message", "hello");
    expect(await heard).toBe("Ada: hello");
    const welcomed = new Promise((resolve) => otherTab.once("welcome", resolve));
    socket.emit("rename", "Lovelace");
    expect(await welcomed).toBe("Lovelace");
    const [reason, gone] = [
      new Promise((resolve) => otherTab.once("session:end", resolve)),
      disconnected(otherTab),
    ];
    await ada.post("/logout");
    expect([await reason, await gone]).toEqual([{ reason: "destroyed" }, "io server disconnect"]);
    expect((await refused(ada.socket())).data).toEqual({ code: "SESSION_REQUIRED" });
    ada.close();
    expect(started.output).toBe(`${started.url}\n`);
  });
});

describeWithChromium("the quick start in a browser", { timeout: 60_000 }, () => {
  let chromium: Chromium;
  beforeAll(async () => {
    chromium = await launchChromium(chromiumPath());
  }, 60_000);
  afterAll(() => chromium?.close());

  const says = (page: Page, text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();

  test("shows who is refused, who is in, what is sent, and who has logged out, in both tabs", async () => {
    const { url } = await start("app.mjs", program);
    const context = await chromium.newContext();
    context.setDefaultTimeout(10_000);
    const errors: Error[] = [];
    const open = async () => {
      const page = await context.newPage();
      page.on("pageerror", (error) => errors.push(error));
      await page.goto(url);
      return page;
    };
    const page = await open();
    await says(page, "Not logged in (SESSION_REQUIRED).");
    await page.getByLabel("Your name").fill("Ada");
    await page.getByRole("button", { name: "Log in" }).click();
    await says(page, "You are Ada.");
    const secondTab = await open();
    await says(secondTab, "You are Ada.");

    await page.getByLabel("Message").fill("<b>Hello</b> from the first");
    await page.getByRole("button", { name: "Send" }).click();
    await secondTab.getByText("Ada: <b>Hello</b> from the first").waitFor();

    await secondTab.getByLabel("New name").fill("Lovelace");
    await secondTab.getByRole("button", { name: "Rename" }).click();
    for (const tab of [page, secondTab]) await says(tab, "You are Lovelace.");

    await page.getByRole("button", { name: "Log out" }).click();
    await says(secondTab, "Logged out (destroyed).");
    expect(await secondTab.getByLabel("Message").isVisible()).toBe(false);
    await says(page, "Not logged in (SESSION_REQUIRED).");

    await secondTab.getByLabel("Your name").fill("Grace");
    await secondTab.getByLabel("Your name").press("Enter");
    await says(secondTab, "You are Grace.");
    expect(errors).toEqual([]);
    await context.close();
  });
});
