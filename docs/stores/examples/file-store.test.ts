import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type StoreHarness, storeCases } from "socket-session/testing/store";
import { FileStore, fileOf } from "./file-store.ts";

const traits = {
  atomic: false,
  feed: false,
  uniqueRevisions: true,
  exactExpiry: true,
  damage: "any text",
} as const;

async function start(): Promise<StoreHarness> {
  const folder = await mkdtemp(join(tmpdir(), "file-store-"));
  let now = Date.now();
  const store = new FileStore(folder, () => now);
  return {
    open: () => store, // two objects on one folder would not wait for each other
    now: () => now,
    advance(ms) {
      now += ms;
    },
    damage: (sid, text) => writeFile(join(folder, fileOf(sid)), text),
    async end() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

for (const { name, timeoutMs, run } of storeCases(traits, start)) test(name, { timeout: timeoutMs }, run);
