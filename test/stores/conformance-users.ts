/** The part of the suite that is about the index of each user's sessions. */
import { expect, it } from "vitest";
import type { Connections } from "./conformance-documents.ts";
import { keyOf } from "./session-keys.ts";

const hostileUsers = [
  "",
  "ada",
  "ADA",
  "__proto__",
  "constructor",
  "'; DROP TABLE sessions; --",
  '{"$ne":null}',
  "$where",
  "a.b",
  "*",
  "%",
  "{ada}",
  "ada:eve",
  "\0",
  "\ud800",
  "\ud801",
  "\ufffd",
  "u".repeat(10_000),
  `${"u".repeat(10_000)}v`,
];

export function describeUsers(
  connections: () => Connections & { harness: { now(): number; advance(ms: number): void | Promise<void> } },
  { manySessions }: { manySessions: number },
): void {
  const key = keyOf("a session");

  /** The ids that are listed, from either connection. */
  const listed = async (user: string) => {
    const { store, other } = connections();
    const [here = [], there = []] = await Promise.all([store.listByUser?.(user), other.listByUser?.(user)]);
    const ids = here.map(({ sid }) => sid).sort();
    expect(there.map(({ sid }) => sid).sort()).toEqual(ids);
    return ids;
  };

  it("lists what was created, with what is stored and since when", async () => {
    const { store, other, later, harness } = connections();
    const created = harness.now();
    const revision = await store.create(key, { cookie: {}, n: 1 }, later(), "ada");
    await store.create(keyOf("eve's"), { cookie: {} }, later(), "eve");
    await store.create(keyOf("nobody's"), { cookie: {} }, later());
    await harness.advance(5000);
    const found = (await other.listByUser?.("ada")) ?? [];
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      sid: key.sid,
      stored: { document: { cookie: {}, n: 1 }, revision },
    });
    expect(Math.abs((found[0]?.since ?? 0) - created)).toBeLessThanOrEqual(1000);
    expect(Math.abs((found[0]?.stored?.expiresAt ?? 0) - later(3_600_000 - 5000))).toBeLessThanOrEqual(1000);
  });

  it("lists a session that became a user's by replace or touch, once, and since then", async () => {
    const { store, later, harness } = connections();
    const first = await store.create(key, { cookie: {}, n: 1 }, later());
    await store.create(keyOf("touched"), { cookie: {} }, later());
    expect(await listed("ada")).toEqual([]);
    await harness.advance(10_000);
    const since = harness.now();
    const second = await store.replace(key, first ?? "", { cookie: {}, n: 2 }, later(), "ada");
    await store.touch(keyOf("touched"), later(), {}, "ada");
    await harness.advance(10_000);
    await store.replace(key, second ?? "", { cookie: {}, n: 3 }, later(), "ada");
    await store.touch(key, later(), {}, "ada");
    expect(await listed("ada")).toEqual([key.sid, "touched"].sort());
    for (const one of (await store.listByUser?.("ada")) ?? [])
      expect(Math.abs(one.since - since)).toBeLessThanOrEqual(1000);
  });

  it("lists a session under its user, also where a touch of before comes late", async () => {
    const { store, later } = connections();
    const revision = await store.create(key, { cookie: {}, userId: "ada" }, later(), "ada");
    await store.replace(key, revision ?? "", { cookie: {}, userId: "bob" }, later(), "bob");
    await store.touch(key, later(), {}, "ada");
    expect(await listed("bob")).toEqual([key.sid]);
  });

  it("lists none that is over, replaced by nothing, or was never stored", async () => {
    const { store, other, later, harness } = connections();
    await store.create(key, { cookie: {} }, later(), "ada");
    await store.create(keyOf("short"), { cookie: {} }, later(1000), "ada");
    await store.create(keyOf("long"), { cookie: {} }, later(), "ada");
    await store.replace(keyOf("never"), "never", { cookie: {} }, later(), "ada");
    await store.touch(keyOf("never"), later(), {}, "ada");
    await other.destroy(key, "destroyed");
    await harness.advance(2000);
    expect(await listed("ada")).toEqual(["long"]);
    await store.clear?.();
    expect(await listed("ada")).toEqual([]);
  });

  it("goes on listing a session that is extended again and again", async () => {
    const { store, later, harness } = connections();
    await store.create(key, { cookie: {} }, later(10_000), "ada");
    for (let round = 0; round < 5; round += 1) {
      await harness.advance(8000);
      expect(await store.touch(key, later(10_000), {}, "ada")).toBe(true);
    }
    expect(await listed("ada")).toEqual([key.sid]);
  });

  it("keeps users apart, whatever they are called", async () => {
    const { store, later } = connections();
    for (const [n, user] of hostileUsers.entries()) {
      await store.create(keyOf(`session ${n}`), { cookie: {} }, later(), user);
    }
    for (const [n, user] of hostileUsers.entries()) {
      expect(await listed(user), JSON.stringify(user)).toEqual([`session ${n}`]);
    }
    expect(await listed("nobody")).toEqual([]);
  });

  it("gives back hostile ids as they were", async () => {
    const { store, later } = connections();
    const ids = ["a\0b", "\ud800", "'; --", "é", "__proto__", "a:b{c}"];
    for (const sid of ids) await store.create(keyOf(sid), { cookie: {} }, later(), "ada");
    expect(await listed("ada")).toEqual([...ids].sort());
  });

  it(`lists ${manySessions} sessions of one user`, { timeout: 120_000 }, async () => {
    const { store, later } = connections();
    for (let done = 0; done < manySessions; done += 500) {
      const batch = Array.from({ length: Math.min(500, manySessions) }, (_, n) =>
        keyOf(`session ${done + n}`),
      );
      await Promise.all(batch.map((one) => store.create(one, { cookie: {} }, later(), "ada")));
    }
    const found = (await store.listByUser?.("ada")) ?? [];
    expect(new Set(found.map(({ sid }) => sid)).size).toBe(manySessions);
    expect(found).toHaveLength(manySessions);
  });
}
