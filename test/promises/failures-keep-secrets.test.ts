/** Output that an operator sees of a failing store: debug output, warnings, and the application's logs of the events. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { execArgv } from "../support/node-process.ts";
import { sharedStores } from "../support/shared-stores.ts";
import type { Failing } from "./fixtures/failing-application.ts";

const fixture = fileURLToPath(new URL("fixtures/failing-application.ts", import.meta.url));
const marker = "s3cret-marker";

/** What it has written by the end, and the ids of its sessions. */
async function run(setting: Failing): Promise<{ written: string; ids: string[]; code: unknown }> {
  const child: ChildProcess = fork(fixture, [JSON.stringify(setting)], {
    execArgv,
    env: { ...process.env, DEBUG: "socket-session*" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let written = "";
  const ids: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => {
      written += text;
    });
  child.on("message", ({ id }: { id: string }) => ids.push(id));
  const [code] = await once(child, "close");
  return { written, ids, code };
}

async function expectNoSecrets(setting: Failing): Promise<void> {
  const { written, ids, code } = await run(setting);
  expect(code, written).toBe(0);
  expect(written).toMatch(
    /error STORE_FAILED The \w+ of session \S+ in the .+ store failed: \w+ ECONNRESET|SQLite said/,
  );
  expect(written).toContain("SocketSessionError: "); // as a warning
  expect(written).toMatch(/refused (STORE_UNAVAILABLE|SESSION_ENDED) SocketSessionError: /);
  if (setting.kind !== "wrapped") expect(written).toContain("STORE_FEED_BROKEN");
  if (setting.kind !== "wrapped" && setting.kind !== "memory")
    expect(written).toContain("SESSION_UNREADABLE");
  expect(ids.length).toBeGreaterThan(0);
  for (const secret of [marker, ...ids, ...ids.map(encodeURIComponent)])
    expect(written.split("\n").filter((line) => line.includes(secret))).toEqual([]);
}

describe("output about a failing store names no session id, and quotes neither its data nor the driver", () => {
  test.each(["memory", "wrapped"] as const)("over a %s store", (kind) =>
    expectNoSecrets({ kind, url: "", place: "" }),
  );
  for (const shared of sharedStores) {
    shared.describe("over a database", () => {
      test(shared.name, { timeout: 60_000 }, async () => {
        const { address, clear } = shared.open();
        onTestFinished(clear);
        await expectNoSecrets(address);
      });
    });
  }
});
