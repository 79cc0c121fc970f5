/** Processes that are killed, and disks that are full. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { sqliteStore } from "../../../src/stores/sqlite/store.ts";
import { execArgv } from "../../support/node-process.ts";
import { call, fixturePath, message } from "../processes.ts";
import { keyOf } from "../session-keys.ts";
import { newFile, rawConnection } from "./files.ts";

it("keeps every answered write, and no half one, when a writer is killed", async () => {
  const path = newFile();
  const answered: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    const child = spawn(
      process.execPath,
      [...execArgv, fixturePath("sqlite/fixtures/write-until-killed"), path, `${round}-`],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    const exited = once(child, "exit");
    let fromThisRound = 0;
    for await (const sid of createInterface(child.stdout)) {
      answered.push(sid);
      fromThisRound += 1;
      if (fromThisRound === 30) child.kill("SIGKILL");
    }
    await exited;
    expect(child.signalCode).toBe("SIGKILL");
  }

  const store = sqliteStore({ path });
  onTestFinished(() => store.close());
  expect(answered.length).toBeGreaterThanOrEqual(4 * 30);
  for (const sid of answered) expect((await store.read(keyOf(sid)))?.document.n, sid).toBe(1);
  const raw = rawConnection(path);
  expect(raw.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  const stored = raw.prepare("SELECT id, json_extract(document, '$.n') AS n FROM sessions").all();
  const published = new Set(
    raw
      .prepare("SELECT public_ids FROM changes")
      .all()
      .map(({ public_ids }) => public_ids),
  );
  // A change and its publication are one: what was replaced is in the feed, what was only created is not.
  for (const { id, n } of stored) {
    const { publicIds } = keyOf(Buffer.from(id as Uint8Array).toString("utf16le"));
    expect(published.has(JSON.stringify(publicIds))).toBe(n === 1);
  }
});

it.skipIf(process.platform === "win32")(
  "rejects when the disk is full, and still reads afterwards",
  async () => {
    const path = newFile();
    const script = `ulimit -f 400; exec "$0" "$@"`;
    const child = spawn(
      "sh",
      ["-c", script, process.execPath, ...execArgv, fixturePath("sqlite/fixtures/store-process"), path],
      { stdio: ["ignore", "inherit", "inherit", "ipc"] },
    );
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    expect(await message(child)).toEqual({ result: "opened" });
    const later = Date.now() + 3_600_000;
    const small = { cookie: {}, filling: "small" };
    expect(await call(child, "create", keyOf("small"), small, later)).toEqual({ result: expect.any(String) });
    expect(
      await call(child, "create", keyOf("large"), { cookie: {}, filling: "x".repeat(1 << 20) }, later),
    ).toEqual({
      error: {
        code: "STORE_FAILED",
        cause: expect.any(String),
        message: expect.stringContaining(
          `Expected the SQLite file ${path} to take the operation, but SQLite said: `,
        ),
      },
    });
    expect(await call(child, "read", keyOf("large"))).toEqual({ result: null });
    expect(await call(child, "read", keyOf("small"))).toMatchObject({ result: { document: small } });
    expect(await call(child, "destroy", keyOf("small"), "destroyed")).toEqual({ result: true });
  },
);
