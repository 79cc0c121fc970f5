import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { documented } from "../../docs/proxy.ts";
import { root } from "../sources.ts";
import { folder, install, run } from "./install.ts";

/** One suite of an application, in JavaScript and in TypeScript, in Jest without any flag. */

const runtime = ["socket-session", "express@5", "express-session@1", "socket.io@4", "socket.io-client@4"];
const types = ["@types/express@5", "@types/express-session@1", "@types/jest@29", "@types/node@22"];
const folders = {
  "Jest 29": ["jest@29", "ts-jest@29", "typescript@5.9", ...runtime, ...types],
  "Jest 30": ["jest@30", ...runtime],
};

const commonjs = { target: "es2022", module: "commonjs", esModuleInterop: true };
const flags = Object.entries(commonjs).flatMap(([name, value]) => [`--${name}`, `${value}`]);
const tsc = join(root, "node_modules/typescript/bin/tsc");

beforeAll(async () => {
  const compilerOptions = { ...commonjs, strict: true, allowJs: true, types: ["node", "jest"] };
  await Promise.all(
    Object.entries(folders).map(async ([name, packages]) => {
      const cwd = await install(name, packages);
      await cp(join(import.meta.dirname, "fixtures/session.ts"), join(cwd, "session.ts"));
      await run(process.execPath, [tsc, "--ignoreConfig", "--noCheck", ...flags, "session.ts"], { cwd });
      await writeFile(join(cwd, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    }),
  );
});

const inJavaScript = { testMatch: ["<rootDir>/session.js"] };
const inTypeScript = { testMatch: ["<rootDir>/session.ts"], preset: "ts-jest" };
const everything = { transformIgnorePatterns: [] };
/** Types are checked without it. */
const fileByFile = { "\\.[jt]s$": ["ts-jest", { isolatedModules: true }] };

test.each([
  ["Jest 29", "JavaScript", inJavaScript],
  ["Jest 29", "JavaScript, with all packages transformed", { ...inJavaScript, ...everything }],
  ["Jest 29", "TypeScript, by ts-jest", inTypeScript],
  [
    "Jest 29",
    "TypeScript, with all packages transformed by ts-jest",
    { ...inTypeScript, ...everything, transform: fileByFile },
  ],
  ["Jest 30", "JavaScript", inJavaScript],
  ["Jest 30", "JavaScript, with all packages transformed", { ...inJavaScript, ...everything }],
])("in %s, in %s", async (name, _how, config) => {
  const args = ["--config", JSON.stringify({ ...config, rootDir: folder(name) })];
  expect(await runJest(name, args)).toEqual({ passed: 3, messages: [""] });
});

test("in Jest 29, the program of the guide", async () => {
  const guide = "docs/guide/jest.md";
  const cwd = join(folder("Jest 29"), "guide");
  await mkdir(cwd);
  await writeFile(join(cwd, "jest.config.js"), documented(guide, "js"));
  await writeFile(join(cwd, "greeting.test.ts"), documented(guide, "ts"));
  expect(await runJest("Jest 29", [], cwd)).toEqual({ passed: 1, messages: [""] });
});

/** How many tests of one suite have passed, and what Jest says of the others. */
async function runJest(name: string, args: string[], cwd = folder(name)) {
  const jest = join(folder(name), "node_modules/jest/bin/jest.js");
  const flags = ["--json", "--cacheDirectory", join(folder(name), "cache")];
  const options = { cwd, env: { ...process.env, NODE_OPTIONS: "" } };
  const ran = await run(process.execPath, [jest, ...flags, ...args], options).catch((error) => error);
  const { numPassedTests, testResults }: JestOutput = JSON.parse(ran.stdout);
  return { passed: numPassedTests, messages: testResults.map(({ message }) => message) };
}

interface JestOutput {
  numPassedTests: number;
  testResults: { message: string }[];
}
