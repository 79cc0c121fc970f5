import { cp } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { root } from "../../../scripts/run.mjs";
import { execArgv } from "../../support/node-process.ts";
import { subPaths } from "../sources.ts";
import { folder, install, run } from "./install.ts";

/** The package as it would be published, in JavaScript and on each Node that it supports. */

const versions = ["22", "24", "26"];
const tooOld = "20";
const names = subPaths.map((subPath) => join("socket-session", subPath));
const fixture = (name: string) => join(import.meta.dirname, "fixtures", name);

/** One of them comes with the repository. */
const [own] = process.versions.node.split(".");
const nodeOf = (version: string) =>
  version === own ? process.execPath : join(folder(`node-${version}`), "node_modules/node/bin/node");

interface Printed {
  node: string;
  loaded: Record<string, { imported: string[]; required: string[]; differing: string[] }>;
  alone: Record<string, string[]>;
}

beforeAll(async () => {
  await Promise.all([
    install("run-newest", ["socket-session", "express-session@1", "socket.io@4"]),
    install("run-oldest", ["socket-session", "express-session@1.18.0", "socket.io@4.8.0", "engine.io@6.6.4"]),
    ...[tooOld, ...versions]
      .filter((version) => version !== own)
      .map((version) => install(`node-${version}`, [`node@${version}`])),
  ]);
  await cp(fixture("load.mjs"), join(folder("run-newest"), "load.mjs"));
  await Promise.all(
    ["run-newest", "run-oldest"].map((name) => cp(fixture("attach.mjs"), join(folder(name), "attach.mjs"))),
  );
});

describe.each(versions)("on Node %s", (version) => {
  let printed: Printed;
  beforeAll(async () => {
    const { stdout } = await run(nodeOf(version), ["load.mjs", ...names], { cwd: folder("run-newest") });
    printed = JSON.parse(stdout);
  });

  test("is the Node that runs", () => {
    expect(printed.node).toMatch(new RegExp(`^${version}\\.`));
  });

  test.each(names)("%s is imported and required, as one copy of the code", (name) => {
    const { imported = [], required, differing } = printed.loaded[name] ?? {};
    expect(imported).not.toEqual([]);
    expect(required).toEqual(imported);
    // The page's half keeps no state, so that two copies do no harm.
    expect(differing).toEqual(name === "socket-session/client" ? imported : []);
  });

  test.each(["socket-session/protocol", "socket-session/client"])(
    "%s is a module that a browser can load by itself",
    (name) => {
      expect(printed.alone[name]).toEqual(printed.loaded[name]?.imported);
    },
  );
});

/** One of each layer, and of what may differ between versions of Node: SQLite. */
test.each([
  ["5"],
  ["9", "--layer", "requests", "--database", "sqlite"],
  ["14", "--layer", "sockets", "--database", "mongodb"],
])("on each of them the simulation of seed %s %s %s %s %s runs the same", async (...args) => {
  const hashes = await Promise.all(
    versions.map(async (version) => {
      const command = [...execArgv, "test/simulation/simulate.ts", "--seed", ...args.filter(Boolean)];
      const { stdout } = await run(nodeOf(version), command, { cwd: root, maxBuffer: 2 ** 26 });
      return /, hash ([0-9a-f]{16}): 0 violations/.exec(stdout.slice(-200))?.[1];
    }),
  );
  expect(hashes[0]).toBeDefined();
  expect(new Set(hashes).size).toBe(1);
});

test.each([
  ["commonjs", `require("socket-session").liveSessions({})`],
  ["commonjs", `require("socket-session/sqlite").sqliteStore({ path: "sessions.db" })`],
  ["module", `(await import("socket-session")).liveSessions({})`],
  ["module", `(await import("socket-session/sqlite")).sqliteStore({ path: "sessions.db" })`],
])(`on Node ${tooOld}, as a %s, %s says which Node is needed`, async (type, code) => {
  const ran = run(nodeOf(tooOld), [`--input-type=${type}`, "--eval", code], { cwd: folder("run-newest") });
  await expect(ran).rejects.toThrow(/needs Node 22\.13 or later; this is 20\./);
});

test.each([
  ["newest", []],
  ["oldest", ["SOCKET_SESSION_OLD_ENGINE"]],
])(
  "with the %s Express session and Socket.IO that it accepts, an application starts with the warnings %s",
  async (name, codes) => {
    const { stdout } = await run(process.execPath, ["attach.mjs"], { cwd: folder(`run-${name}`) });
    expect(stdout.split("\n").filter((line) => line !== "")).toEqual(codes);
  },
);
