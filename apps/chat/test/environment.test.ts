import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Environment, readEnvironment } from "../server/environment.ts";

let folder: string;
let opened: Environment[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chat-environment-"));
  opened = [];
});
afterEach(async () => {
  for (const { store } of opened) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function read(variables: Record<string, string>): Environment {
  const environment = readEnvironment(variables);
  opened.push(environment);
  return environment;
}

test("a database file is made with its folder, and a secret beside it that only its owner can read", () => {
  const STORE = `file:${folder}/data/chat.sqlite`;
  const first = read({ STORE });
  expect(first).toMatchObject({ port: 3000, store: { name: "sqlite" } });
  expect(first.secret).toMatch(/^[\w-]{43}$/);
  expect(statSync(`${folder}/data/chat.sqlite.secret`).mode & 0o777).toBe(0o600);
  expect(first.notes.join("\n")).toContain(`${folder}/data/chat.sqlite.secret`);
  expect(read({ STORE }).secret).toBe(first.secret);
  expect(read({ STORE, SECRET: "another one" }).secret).toBe("another one");
});

test("an emptied secret is no secret", () => {
  writeFileSync(`${folder}/chat.sqlite.secret`, "\n");
  expect(() => read({ STORE: `file:${folder}/chat.sqlite` })).toThrow(/is empty\. Remove it/);
});

test("in memory, a secret is made for as long as the process lives", () => {
  const first = read({ STORE: "memory", PORT: "8080" });
  expect(first).toMatchObject({ port: 8080, store: { name: "memory" } });
  expect(read({ STORE: "memory" }).secret).not.toBe(first.secret);
});

test("a port that is none is named with the cure", () => {
  expect(() => read({ PORT: "http", STORE: "memory" })).toThrow(/PORT expects a number.*PORT=3001 npm start/);
});

test.each(["redis://user:password@localhost", "file:"])(
  "so is an unknown store, but not what may be its password: %s",
  (STORE) => {
    expect(() => read({ STORE })).toThrow(/^STORE expects file:(?!.*password).* or memory/);
  },
);
