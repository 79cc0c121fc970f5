/** A file of an earlier version, and a process of that version that keeps working on it. */
import type { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import { create, migrations, pruneSessions, read } from "../../../src/stores/sqlite/schema.ts";
import { sqliteStore } from "../../../src/stores/sqlite/store.ts";
import { Heard } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { newFile, rawConnection } from "./files.ts";

/** What a process of the version before runs. */
const earlierPublish = "INSERT INTO changes (at, kind, public_ids, reason, revision) VALUES (?, ?, ?, ?, ?)";
const earlierChanges =
  "SELECT sequence, kind, public_ids, reason, revision FROM changes WHERE sequence > ? ORDER BY sequence LIMIT ?";

function earlierFile(path: string, version: number): DatabaseSync {
  const earlier = rawConnection(path);
  earlier.exec("PRAGMA journal_mode = WAL");
  for (const migration of migrations.slice(0, version)) earlier.exec(migration);
  earlier.exec(`PRAGMA application_id = 0x736f7365; PRAGMA user_version = ${version}`);
  return earlier;
}

it("a process of the previous version keeps working beside a new one, and each sees the other's changes", async () => {
  const path = newFile();
  const earlier = earlierFile(path, 2);
  const publish = earlier.prepare(earlierPublish);
  const changes = earlier.prepare(earlierChanges);
  publish.run(Date.now(), "changed", '["before"]', null, "a revision");

  const store = sqliteStore({ path, pollIntervalMs: 1 });
  onTestFinished(() => store.close());
  const heard = new Heard();
  await store.changes?.(heard, { heartbeatMs: 1_000 });
  const key = keyOf("a session");
  const revision = await store.create(key, { cookie: {} }, Date.now() + 60_000, "ada");
  expect(
    await store.replace(key, revision ?? "", { cookie: {}, n: 1 }, "keep", "ada", "a write"),
  ).not.toBeNull();
  publish.run(Date.now(), "changed", JSON.stringify(key.publicIds), null, "another revision");
  publish.run(Date.now(), "ended", JSON.stringify(key.publicIds), "revoked", null);

  await expect.poll(() => heard.changes.length).toBe(3);
  const { publicIds } = key;
  expect(heard.changes).toEqual([
    { kind: "changed", publicIds, write: "a write" },
    { kind: "changed", publicIds },
    { kind: "ended", publicIds, reason: "revoked" },
  ]);
  expect(heard.missedCount).toBe(0);
  expect(changes.all(1, 1)).toMatchObject([
    { kind: "changed", public_ids: JSON.stringify(publicIds), reason: null },
  ]);
});

it("a process of the version without tickets keeps working beside one that keeps them", async () => {
  const path = newFile();
  const earlier = earlierFile(path, 3);
  const [creating, reading, pruning] = [create, read, pruneSessions].map((sql) => earlier.prepare(sql));
  const store = sqliteStore({ path });
  onTestFinished(() => store.close());
  await store.putTicket?.("a ticket", "{}", Date.now() + 60_000);
  const id = Buffer.from("a session", "utf16le");
  const session = { document: '{"cookie":{}}', expiresAt: Date.now() + 60_000, revision: "one", user: null };
  creating?.run({ id, ...session, now: Date.now() });
  pruning?.run(Date.now(), 100);
  expect(reading?.get(id, Date.now())).toMatchObject({ document: session.document });
  expect(await store.read(keyOf("a session"))).toMatchObject({ document: { cookie: {} } });
  expect(await store.takeTicket?.("a ticket")).toBe("{}");
});
