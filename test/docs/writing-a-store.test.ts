/** The store of the guide for authors of stores: shown as it is, tested as the guide says, and it keeps every guarantee. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { execArgv } from "../support/node-process.ts";
import { documentAt, root } from "./markdown.ts";

const files = ["file-store.ts", "file-store.test.ts"].map((file) => `docs/stores/examples/${file}`);

test.each(files)("%s is in the guide as it is, and imports only what is public", (file) => {
  const text = readFileSync(join(root, file), "utf8");
  const shown = documentAt("docs/stores/writing-a-store.md").blocks.map(({ code }) => code);
  expect(shown).toContain(text.trimEnd());
  const imports = [...text.matchAll(/from "([^"]+)"/g)].map(([, specifier]) => specifier);
  const isPublic = /^(node:\w+(\/promises)?|socket-session(\/testing\/store)?|\.\/file-store\.ts)$/;
  expect(imports.filter((specifier) => !isPublic.test(specifier ?? ""))).toEqual([]);
});

test("the suite passes on it, in Node's own test runner", { timeout: 60_000 }, async () => {
  const args = [...execArgv, "--test-reporter=tap", join(root, files[1] ?? "")];
  const env = { ...process.env, NODE_OPTIONS: "" };
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(stdout)?.[1]);
  expect(count("pass")).toBeGreaterThan(30);
  expect({ failed: count("fail"), skipped: count("skipped") }).toEqual({ failed: 0, skipped: 0 });
});
