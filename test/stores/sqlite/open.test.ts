/** An obstacle to opening a file is reported at once, with the file's name and the cure. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { SocketSessionError } from "../../../src/base/errors.ts";
import { sqliteStore } from "../../../src/stores/sqlite/store.ts";
import { call, message, start } from "../processes.ts";
import { keyOf } from "../session-keys.ts";
import { newFile } from "./files.ts";

const later = () => Date.now() + 3_600_000;

function refusal(path: string): SocketSessionError {
  try {
    sqliteStore({ path, busyTimeoutMs: 100 });
  } catch (error) {
    if (error instanceof SocketSessionError) return error;
    throw error;
  }
  throw new Error("Expected the file to be refused.");
}

function understandsUris(uri: string): boolean {
  try {
    new DatabaseSync(uri).close();
    return true;
  } catch {
    return false; // the URI was taken for the path of a file in a directory that does not exist
  }
}

/** A session file with more in it than fits the first pages. */
async function filledFile(): Promise<string> {
  const path = newFile();
  const store = sqliteStore({ path });
  for (let i = 0; i < 50; i += 1) {
    await store.create(keyOf(`session ${i}`), { cookie: {}, filling: "x".repeat(3000) }, later());
  }
  await store.close();
  return path;
}

it("names a missing directory", () => {
  const path = join(newFile(), "sessions.db");
  expect(refusal(path)).toMatchObject({ code: "STORE_OPEN", cause: { errcode: 14 } });
  expect(refusal(path).message).toBe(
    `Expected to read and write sessions in the SQLite file ${path}, but the directory ${dirname(path)} ` +
      "does not exist. Create the directory first.",
  );
});

it("names a directory in place of the file, and a file in place of the directory", () => {
  const path = newFile();
  mkdirSync(path);
  expect(refusal(path).message).toMatch(/it is a directory\. Give the path of a file/);
  const file = newFile();
  writeFileSync(file, "");
  expect(refusal(join(file, "sessions.db")).message).toMatch(
    /is not a directory\. Give a path inside a directory/,
  );
});

it("names a file that is not a database", () => {
  const path = newFile();
  const text = "name: sessions\n".repeat(500);
  writeFileSync(path, text);
  expect(refusal(path)).toMatchObject({ code: "STORE_OPEN", cause: { errcode: 26 } });
  expect(refusal(path).message).toContain(path);
  expect(refusal(path).message).toMatch(/file is not a database\. Give a path of its own/);
  expect(readFileSync(path, "utf8")).toBe(text);
});

it("names a damaged file", async () => {
  const path = await filledFile();
  const overwritten = newFile();
  copyFileSync(path, overwritten);
  const bytes = readFileSync(overwritten);
  bytes.fill(0xa5, 4096);
  writeFileSync(overwritten, bytes);
  expect(refusal(overwritten)).toMatchObject({ code: "STORE_OPEN", cause: { errcode: 11 } });
  expect(refusal(overwritten).message).toMatch(/malformed\. Restore the file from a backup, or move it away/);

  truncateSync(path, 4096);
  expect(refusal(path)).toMatchObject({ code: "STORE_OPEN" });
  expect(refusal(path).message).toMatch(/malformed\. Restore the file/);
});

it("refuses the database of another application, and does not change it", () => {
  const path = newFile();
  const foreign = new DatabaseSync(path);
  foreign.exec("CREATE TABLE sessions (sid PRIMARY KEY, expired, sess)");
  foreign.close();
  const before = readFileSync(path);
  expect(refusal(path).code).toBe("STORE_OPEN");
  expect(refusal(path).message).toMatch(
    /a database of something else\. Give the sessions a file of their own/,
  );
  expect(readFileSync(path).equals(before)).toBe(true);
});

it("refuses tables of a newer release", async () => {
  const path = await filledFile();
  const raw = new DatabaseSync(path);
  raw.exec("PRAGMA user_version = 99");
  raw.close();
  expect(refusal(path).code).toBe("STORE_OPEN");
  expect(refusal(path).message).toMatch(/but they are of version 99, .* Update socket-session/);
});

it("refuses a file it can only read", async (context) => {
  const path = `file:${await filledFile()}?mode=ro`;
  if (!understandsUris(path)) context.skip("this release of Node has no URIs for SQLite files");
  expect(refusal(path)).toMatchObject({ code: "STORE_OPEN", cause: { errcode: 8 } });
  expect(refusal(path).message).toMatch(
    /readonly database\. Let this process write the file and its directory/,
  );
});

it.skipIf(process.platform === "win32")("names files that this user may not write", async () => {
  const path = await filledFile();
  // Root may write everything: then a process that becomes "nobody" has to try.
  const asUser = process.getuid?.() === 0 ? ["10000", "65534"] : [];
  chmodSync(path, 0o444);
  chmodSync(dirname(path), 0o555);
  const readOnlyFile = await message(start("sqlite/fixtures/store-process", [path, ...asUser]));
  const readOnlyDirectory = await message(
    start("sqlite/fixtures/store-process", [join(dirname(path), "new.db"), ...asUser]),
  );
  chmodSync(dirname(path), 0o755);
  for (const answer of [readOnlyFile, readOnlyDirectory]) {
    expect(answer).toMatchObject({ error: { code: "STORE_OPEN" } });
    expect(answer).toMatchObject({
      error: {
        message: expect.stringMatching(/this process may not write .*\. Let this process write the file/),
      },
    });
  }
});

it("opens a file that another store has closed, whatever was left beside it", async () => {
  const path = await filledFile();
  const child = start("sqlite/fixtures/store-process", [path]);
  await message(child);
  await call(child, "destroy", keyOf("session 0"), "destroyed");
  child.kill("SIGKILL");
  const store = sqliteStore({ path });
  expect(await store.read(keyOf("session 0"))).toBeNull();
  expect(await store.count?.()).toBe(49);
  await store.close();
});

it("refuses options that make no sense", () => {
  expect(() => sqliteStore({ path: "" })).toThrow(
    /`path` of sqliteStore\(\) expects the path of a file; it was an empty string/,
  );
  expect(() => sqliteStore({ path: ":memory:", pollIntervalMs: -1 })).toThrow(
    /`pollIntervalMs` .*milliseconds of 0 or more; it was -1/,
  );
  expect(() => sqliteStore({ path: ":memory:", busyTimeoutMs: Number.NaN })).toThrow(
    /busyTimeoutMs.* it was NaN/,
  );
});
