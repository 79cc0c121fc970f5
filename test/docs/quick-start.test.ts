/** The quick start in its three languages, as it stands, and what the documents say of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser as Chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchChromium } from "../../apps/chat/test/chromium.ts";
import { chromiumPath, describeWithChromium } from "../setup/services.ts";
import { says, tellPage } from "../support/example-page.ts";
import { tellExample } from "../support/example-story.ts";
import { documentAt, root } from "./markdown.ts";
import { type ExpressVersion, Project } from "./project.ts";

const textOf = (file: string) => readFileSync(join(root, "examples", file), "utf8");
const program = textOf("quick-start.mjs");

let project: Project | undefined;
afterEach(() => project?.close());

async function start(file: string, express: ExpressVersion = "5"): Promise<Project> {
  project = new Project(express);
  project.write(file, textOf(file));
  await project.start(`node ${file}`);
  return project;
}

describe("the documents", () => {
  const [install = "", run = ""] = program.match(/(?<=^\/\/ {3})\w.*$/gm) ?? [];

  test.each(["README.md", "docs/guide/getting-started.md"])(
    "%s installs and runs it from the package",
    (file) => {
      const commands = documentAt(file).blocks.map(({ code }) => code);
      expect(commands).toContain(
        `${install}\n${run.replace("quick-start", "node_modules/socket-session/examples/quick-start")}`,
      );
    },
  );

  test("install what it imports, and what that asks for", () => {
    const imported = [...program.matchAll(/^import .* from "([^"/]+)/gm)].map(([, name = ""]) => name);
    const packages = imported.filter((name) => !name.startsWith("node:"));
    expect(packages).not.toEqual([]);
    expect(install.split(" ")).toEqual(expect.arrayContaining(["install", "express-session", ...packages]));
  });
});

describe("is one program", () => {
  const withoutHead = (text: string) => text.replace(/^(?:\/\/.*\n)+/, "");

  test("as a module and as CommonJS", () => {
    const toCommonJs = (text: string) =>
      text.replaceAll(/^import (.*) from (".*");$/gm, "const $1 = require($2);");
    expect(withoutHead(textOf("quick-start.cjs"))).toBe(withoutHead(toCommonJs(program)));
  });

  test("as JavaScript and as TypeScript, which declares the session's data", () => {
    const declaration = /^declare module "express-session" \{\n[\s\S]*?\n\}\n\n/m;
    expect(textOf("quick-start.mts")).toMatch(declaration);
    expect(withoutHead(textOf("quick-start.mts").replace(declaration, ""))).toBe(withoutHead(program));
  });
});

test.each(["fastify/index.html", "nestjs/public/index.html"])("its page is %s", (file) => {
  expect(program).toContain(`\nconst page = \`${textOf(file).trimEnd()}\`;\n`);
});

test.each<[file: string, express: ExpressVersion]>([
  ["quick-start.mjs", "5"],
  ["quick-start.mjs", "4"],
  ["quick-start.cjs", "5"],
  ["quick-start.cjs", "4"],
  ["quick-start.mts", "5"],
])(
  "%s on Express %s lets in who has logged in, counts in all tabs, and closes them at the logout",
  async (...of) => {
    const started = await start(...of);
    await tellExample(started.url);
    expect(started.output).toBe(`${started.url}\n`);
  },
);

describeWithChromium("the quick start in a browser", { timeout: 60_000 }, () => {
  let chromium: Chromium;
  beforeAll(async () => {
    chromium = await launchChromium(chromiumPath());
  }, 60_000);
  afterAll(() => chromium?.close());

  test("shows who is refused, who is in, what is counted, who has logged out, and that the server is gone", async () => {
    const started = await start("quick-start.mjs");
    await tellPage(chromium, started.url, async (page) => {
      await started.stop();
      await says(page, "No connection, trying again …");
    });
  });
});
