/** What the page on troubleshooting quotes is what people see. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { documentAt, root } from "./markdown.ts";

/** Messages of others: the file of an installed package that has them, or who else says so. */
const ofOthers: Readonly<Record<string, { file?: string; by?: string }>> = {
  "Session ID unknown": { file: "engine.io/build/server.js" },
  "The client is closed": { file: "@redis/client/dist/lib/errors.js" },
  ERESOLVE: { by: "npm" },
  EBADENGINE: { by: "npm" },
  ERR_UNKNOWN_BUILTIN_MODULE: { by: "Node" },
  TS2307: { by: "TypeScript" },
  TS1479: { by: "TypeScript" },
  TS2740: { by: "TypeScript" },
  TS2339: { by: "TypeScript" },
  "server error": { file: "engine.io-client/build/cjs/socket.js" },
  "Must use import to load ES Module": { by: "Jest" },
  "Cannot use 'import.meta' outside a module": { by: "V8" },
  "blocked by CORS policy": { by: "Chromium" },
  "Cannot read properties of undefined (reading 'data')": { by: "V8" },
};

const ownSources = globSync("src/**/*.ts", { cwd: root }).map((file) =>
  readFileSync(join(root, file), "utf8"),
);
const textOf = (file: string) => readFileSync(join(root, "node_modules", file), "utf8");

test("the messages that the page on troubleshooting quotes are those of the sources", () => {
  const page = documentAt("docs/guide/troubleshooting.md");
  const seen = ["Installing", "The page is not let in", "Logged out", "Errors"]
    .flatMap((heading) => page.table(heading))
    .map(([cell = ""]) => cell);
  const quoted = seen.flatMap((cell) => [...cell.matchAll(/"([^"]+)"/g)].map(([, message = ""]) => message));
  expect(quoted).toEqual(expect.arrayContaining(Object.keys(ofOthers)));
  const wrong = quoted.filter((message) => {
    const { file, by } = ofOthers[message] ?? {};
    if (by !== undefined) return false;
    return file === undefined
      ? !ownSources.some((text) => text.includes(message))
      : !textOf(file).includes(message);
  });
  expect(wrong).toEqual([]);
});
