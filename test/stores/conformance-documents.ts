/** The part of the suite that is about what can be stored, and under which ids. */
import { expect, it } from "vitest";
import type { SessionDocument, SessionStore } from "../../src/core/session-store.ts";
import { keyOf } from "./session-keys.ts";

export interface Connections {
  store: SessionStore;
  other: SessionStore;
  later: (ms?: number) => number;
}

const hostileIds = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "'; DROP TABLE sessions; --",
  '"',
  "\\",
  "%",
  "_",
  "*",
  "?",
  "$ne",
  "a.b",
  "\0",
  "a",
  "a\0",
  "a\0b",
  "\ud800",
  "\ud801",
  "\udc00",
  "\ufffd",
  "é",
  "e\u0301",
  "😀",
  " ",
  "A",
  "x".repeat(10_000),
  `${"x".repeat(10_000)}y`,
];

const hostileKeys: SessionDocument = JSON.parse(`{
  "cookie": { "originalMaxAge": null, "expires": null, "path": "/" },
  "__proto__": { "polluted": true },
  "constructor": "c", "prototype": 1, "toJSON": "j", "hasOwnProperty": null, "valueOf": [1],
  "": "empty", "1": "first", "a.b": 1, "$set": { "n": 1 }, "\\u0000": "nul",
  "nested": { "__proto__": { "x": 1 }, "constructor": 2, "toJSON": "k", "cookie": { "expires": "never" } }
}`);

export function describeDocuments(
  connections: () => Connections,
  {
    anyKey,
    anyText,
    longestIdBytes,
    levels,
  }: { anyKey: boolean; anyText: boolean; longestIdBytes: number; levels: number },
): void {
  const key = keyOf("a session");

  const keepsAnyKey = async () => {
    const { store, other, later } = connections();
    const text = JSON.stringify(hostileKeys);
    const revision = await store.create(key, hostileKeys, later());
    expect(sortedText((await other.read(key))?.document)).toBe(sortedText(JSON.parse(text)));
    await store.replace(key, revision ?? "", { ...hostileKeys, more: true }, later());
    expect(sortedText((await other.read(key))?.document)).toBe(
      sortedText({ ...JSON.parse(text), more: true }),
    );
    expect("polluted" in {}).toBe(false);
  };
  if (anyKey) it("keeps every top-level and nested key, whatever it is called", keepsAnyKey);

  it("keeps NUL, lone surrogates and all of unicode in the data", async () => {
    const { store, other, later } = connections();
    const texts = ["a\0b", "\0", "\ud800", "x\udfffy", "😀", "e\u0301é", "\u2028", '"\\', "\u{10ffff}"];
    await store.create(key, { cookie: {}, texts }, later());
    expect((await other.read(key))?.document.texts).toEqual(
      anyText ? texts : texts.map((text) => text.toWellFormed()),
    );
  });

  it("keeps a session of a megabyte", async () => {
    const { store, other, later } = connections();
    const large = "é\0😀".repeat(1 << 18);
    const revision = await store.create(key, { cookie: {}, large }, later());
    expect((await other.read(key))?.document.large).toBe(large);
    await other.replace(key, revision ?? "", { cookie: {}, large: `${large}!` }, later());
    expect((await store.read(key))?.document.large).toBe(`${large}!`);
  });

  it(`keeps data that are nested ${levels} levels deep`, async () => {
    const { store, other, later } = connections();
    const pairs = levels / 2 - 1; // a level for each bracket, one for the innermost list, and one for the session
    const nested = JSON.parse(`${'[{"a":'.repeat(pairs)}[]${"}]".repeat(pairs)}`);
    const revision = await store.create(key, { cookie: {}, nested }, later());
    expect((await other.read(key))?.document.nested).toEqual(nested);
    expect(await other.replace(key, revision ?? "", { cookie: {}, nested, n: 1 }, later())).not.toBeNull();
    expect((await store.read(key))?.document).toEqual({ cookie: {}, nested, n: 1 });
  });

  it("keeps sessions apart, whatever their ids are", async () => {
    const { store, other, later } = connections();
    const kept = hostileIds.filter((sid) => Buffer.byteLength(sid) <= longestIdBytes);
    for (const sid of hostileIds.filter((one) => !kept.includes(one))) {
      await expect(store.create(keyOf(sid), { cookie: {} }, later())).rejects.toThrow(/ bytes/);
      expect(await store.read(keyOf(sid))).toBeNull();
      expect(await store.destroy(keyOf(sid), "destroyed")).toBe(false);
    }
    for (const [n, sid] of kept.entries()) {
      expect(await store.create(keyOf(sid), { cookie: {}, n }, later()), JSON.stringify(sid)).not.toBeNull();
    }
    if (store.count) expect(await other.count?.()).toBe(kept.length);
    // What a wrapped store lists is its own affair: some put the sessions into an object literal.
    const all = store.atomic ? await other.all?.() : undefined;
    if (all) expect(new Set(Object.keys(all))).toEqual(new Set(kept));
    for (const [n, sid] of kept.entries()) {
      expect((await other.read(keyOf(sid)))?.document.n, JSON.stringify(sid)).toBe(n);
      expect(await other.destroy(keyOf(sid), "destroyed"), JSON.stringify(sid)).toBe(true);
    }
  });

  it("gives a fresh copy each time, and keeps none of the caller's", async () => {
    const { store, later } = connections();
    const mine = { cookie: {}, list: [1] };
    await store.create(key, mine, later());
    mine.list.push(2);
    const first = await store.read(key);
    expect(first?.document.list).toEqual([1]);
    if (first) first.document.list = "changed";
    expect((await store.read(key))?.document.list).toEqual([1]);
  });

  it("refuses data that is not JSON, and changes nothing", async () => {
    const { store, later } = connections();
    const circular: SessionDocument = { cookie: {} };
    circular.self = circular;
    await expect(store.create(key, circular, later())).rejects.toThrow(TypeError);
    expect(await store.read(key)).toBeNull();
    const revision = await store.create(key, { cookie: {}, n: 1 }, later());
    await expect(store.replace(key, revision ?? "", circular, later())).rejects.toThrow(TypeError);
    expect((await store.read(key))?.document.n).toBe(1);
  });

  it("lists, counts and clears, where it can", async () => {
    const { store, other, later } = connections();
    await store.create(keyOf("1"), { cookie: {}, n: 1 }, later());
    await store.create(keyOf("2"), { cookie: {}, n: 2 }, later());
    if (store.all) {
      const all = Object.values(await store.all());
      expect(all.map(({ n }) => n).sort()).toEqual([1, 2]);
    }
    if (store.count) expect(await store.count()).toBe(2);
    if (!store.clear) return;
    await store.clear();
    expect(await other.read(keyOf("1"))).toBeNull();
    expect(await other.read(keyOf("2"))).toBeNull();
  });
}

/** For databases that order keys by themselves. */
function sortedText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
