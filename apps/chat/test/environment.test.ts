import { fork } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readDatabaseUrl, reasonOf } from "../server/database-url.ts";
import { readEnvironment } from "../server/environment.ts";
import { openAdapter } from "../server/open-adapter.ts";
import { openStore } from "../server/open-store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chat-environment-"));
  vi.spyOn(process, "cwd").mockReturnValue(folder);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const fileStore = () => `file:${folder}/data/chat.sqlite`;

describe("sessions in a file", () => {
  test("are made with their folder, and a secret beside them that only its owner can read", async () => {
    const STORE = fileStore();
    const first = readEnvironment({ STORE });
    expect(first).toMatchObject({ port: 3000, store: { kind: "file", path: `${folder}/data/chat.sqlite` } });
    expect(first.secret).toMatch(/^[\w-]{43}$/);
    expect(statSync(`${folder}/data/chat.sqlite.secret`).mode & 0o777).toBe(0o600);
    expect(first.notes.join("\n")).toContain(`${folder}/data/chat.sqlite.secret`);
    expect(readEnvironment({ STORE }).secret).toBe(first.secret);
    expect(readEnvironment({ STORE, SECRET: "another one" }).secret).toBe("another one");
    const { store } = await openStore(first.store);
    expect(store.name).toBe("sqlite");
    await store.close();
  });

  test("have no secret if it was emptied", () => {
    writeFileSync(`${folder}/chat.sqlite.secret`, "\n");
    expect(() => readEnvironment({ STORE: `file:${folder}/chat.sqlite` })).toThrow(/is empty\. Remove it/);
  });

  test("have one secret, however many processes make it at the same time", async () => {
    const program = fileURLToPath(new URL("./secret-process.ts", import.meta.url));
    const secrets = await Promise.all(
      Array.from({ length: 4 }, () => {
        const child = fork(program, [`${folder}/secret`]);
        return new Promise((resolve) => child.once("message", resolve));
      }),
    );
    expect(new Set(secrets).size).toBe(1);
    expect(secrets[0]).toMatch(/^[\w-]{43}$/);
    expect(readdirSync(folder)).toEqual(["secret"]);
  });
});

test("in memory, a secret is made for as long as the process lives", () => {
  const first = readEnvironment({ STORE: "memory", PORT: "8080" });
  expect(first).toMatchObject({ port: 8080, store: { kind: "memory" } });
  expect(readEnvironment({ STORE: "memory" }).secret).not.toBe(first.secret);
});

describe("sessions in a database", () => {
  test.each([
    ["redis://localhost", "redis"],
    ["rediss://db.example:6380/1", "redis"],
    ["postgres://localhost/chat", "postgres"],
    ["postgresql://localhost/chat", "postgres"],
    ["mongodb://one:27017,two:27017/chat?replicaSet=rs", "mongodb"],
    ["mongodb+srv://cluster.example/chat", "mongodb"],
  ])("are told by the scheme: %s", (STORE, kind) => {
    expect(readEnvironment({ STORE, SECRET: "a secret" }).store).toMatchObject({ kind, url: STORE });
  });

  test("have a secret that is kept on this machine, and the advice to share it", () => {
    const variables = { STORE: "redis://localhost" };
    const { secret, notes } = readEnvironment(variables);
    expect(readEnvironment(variables).secret).toBe(secret);
    expect(statSync(`${folder}/data/chat.secret`).mode & 0o777).toBe(0o600);
    expect(notes.join("\n")).toMatch(/data\/chat\.secret \(nodes elsewhere need the same: set SECRET\)/);
  });

  test.each([
    ["redis://user:hunter2@host:6379/1", "redis://host:6379/1"],
    ["rediss://:hunter2@[::1]:6379", "rediss://[::1]:6379"],
    ["postgres://user@host/db?password=hunter2", "postgres://host/db"],
    ["postgresql:///db?host=/var/run/postgresql&password=hunter2", "postgresql:///db"],
    ["mongodb://user:hunter2@one,two:27018/db?authSource=hunter2", "mongodb://one,two:27018/db"],
    // what could be read in two ways
    ["redis://user:hunter2@hunter2@host", "redis://…"],
    ["redis://user:hunter2/hunter2@host", "redis://…"],
    ["redis://user:hunter2?hunter2@host", "redis://…"],
    ["postgres://user:hunter2#hunter2@host/db", "postgres://…"],
    ["mongodb://host/db?authMechanismProperties=TOKEN:a@hunter2", "mongodb://…"],
  ])("are shown without what is secret: %s", (STORE, shown) => {
    const { notes } = readEnvironment({ STORE, SECRET: "a secret" });
    expect(notes).toEqual([`Sessions: ${shown}`]);
  });

  test("that gives no reason with a password in it", () => {
    const address = (text: string) => {
      const found = readDatabaseUrl(text);
      if (!found) throw new Error("not a database");
      return found;
    };
    const plain = address("redis://user:hunt%20er2@host");
    expect(reasonOf(new Error("no route to host"), plain)).toBe("no route to host");
    for (const leak of ["hunt%20er2", "hunt er2", plain.url]) {
      expect(reasonOf(new Error(`what is ${leak}?`), plain)).toMatch(/is not shown$/);
      expect(reasonOf(Object.assign(new Error(`what is ${leak}?`), { code: "EWHAT" }), plain)).toBe("EWHAT");
    }
    expect(reasonOf(new Error("odd: /hunter2"), address("redis://u:a/hunter2@host"))).toMatch(/not shown$/);
  });

  test.each([
    ["redis", "0"],
    ["redis", "no-number"],
    ["postgres", "chat"],
    ["mongodb", "chat"],
  ])("that is not there is named, without its password: %s, %s", async (scheme, name) => {
    const STORE = `${scheme}://user:hunter2@127.0.0.1:1/${name}`;
    const { store, adapter } = readEnvironment({ STORE, SECRET: "a secret" });
    const failed = await Promise.all([
      openStore(store).catch((error) => error),
      openAdapter(adapter, false).catch((error) => error),
    ]);
    for (const { message, stack, cause } of failed) {
      expect(message).toContain(`${scheme}://127.0.0.1:1/${name}, and no connection could be made: `);
      expect(stack).not.toContain("hunter2");
      expect(cause).toBeUndefined();
    }
    expect(failed[0].message).toMatch(/^STORE names /);
  });
});

describe("what is none of what was expected is named with the cure", () => {
  test.each([
    [{ PORT: "http" }, /^PORT expects a number.*PORT=3001 npm start/],
    [{ NODES: "0" }, /^NODES expects a number from 1 to 64/],
    [{ NODE_NAME: "<b>" }, /^NODE_NAME expects/],
    [{ PROXY: "yes" }, /^PROXY expects 1/],
  ])("%j", (variables, message) => {
    expect(() => readEnvironment({ STORE: "memory", ...variables })).toThrow(message);
  });

  test.each(["mysql://user:password@localhost", "file:", "constructor://x:password@y", ""])(
    "an unknown store, but not what may be its password: %s",
    (STORE) => {
      const read = () => readEnvironment({ STORE, SECRET: "a secret" });
      if (STORE === "") expect(read().store.kind).toBe("file");
      else expect(read).toThrow(/^STORE expects file:(?!.*password).* or memory/);
    },
  );

  test("a port without a next one, which the sockets would take", () => {
    expect(() => readEnvironment({ PORT: "65535" }, { isSplit: true })).toThrow(/^PORT .* from 1 to 65534/);
  });

  test("memory for a cluster", () => {
    expect(() => readEnvironment({ STORE: "memory" }, { isInCluster: true })).toThrow(
      /^STORE=memory keeps the sessions in one process.*Use STORE=file:/,
    );
  });
});
