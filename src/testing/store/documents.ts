/** The data that a session may hold, and who owns the documents. */
import type { SessionDocument } from "../../session-store.ts";
import { expectEqual, expectFound, expectRejection, expectTrue, expectWritten } from "./expectations.ts";
import { keyOf } from "./keys.ts";
import type { Check, ResolvedTraits } from "./setting.ts";

const key = keyOf("a session");

const hostileKeys: SessionDocument = JSON.parse(`{
  "cookie": { "originalMaxAge": null, "expires": null, "path": "/" },
  "__proto__": { "polluted": true },
  "constructor": "c", "prototype": 1, "toJSON": "j", "hasOwnProperty": null, "valueOf": [1],
  "": "empty", "1": "first", "a.b": 1, "$set": { "n": 1 }, "\\u0000": "nul",
  "nested": { "__proto__": { "x": 1 }, "constructor": 2, "toJSON": "k", "cookie": { "expires": "never" } }
}`);

const hostileTexts = ["a\0b", "\0", "\ud800", "x\udfffy", "😀", "e\u0301é", "\u2028", '"\\', "\u{10ffff}"];

export function documentChecks({ anyKey, anyText, levels }: ResolvedTraits): readonly Check[] {
  const keepsTexts: Check = {
    name: "keeps NUL, lone surrogates and all of unicode in the data",
    async run({ store, other, later }) {
      await store.create(key, { cookie: {}, texts: hostileTexts }, later());
      const expected = anyText ? hostileTexts : hostileTexts.map((text) => text.toWellFormed());
      expectEqual((await other.read(key))?.document.texts, expected, "the texts");
    },
  };
  const keepsLevels: Check = {
    name: `keeps data that are nested ${levels} levels deep`,
    async run({ store, other, later }) {
      const pairs = levels / 2 - 1; // a level for each bracket, one for the innermost list, and one for the session
      const nested = JSON.parse(`${'[{"a":'.repeat(pairs)}[]${"}]".repeat(pairs)}`);
      const revision = expectWritten(await store.create(key, { cookie: {}, nested }, later()), "create");
      expectEqual((await other.read(key))?.document.nested, nested, "the data after create");
      expectWritten(await other.replace(key, revision, { cookie: {}, nested, n: 1 }, later()), "replace");
      const found = await store.read(key);
      expectEqual(found?.document, { cookie: {}, nested, n: 1 }, "the document after replace");
    },
  };
  return [...(anyKey ? [keepsKeys] : []), keepsTexts, keepsMegabyte, keepsLevels, ...owning, ...listing];
}

const keepsKeys: Check = {
  name: "keeps every top-level and nested key, whatever it is called",
  async run({ store, other, later }) {
    const copy = () => JSON.parse(JSON.stringify(hostileKeys));
    const revision = expectWritten(await store.create(key, hostileKeys, later()), "create");
    expectEqual(
      sortedText((await other.read(key))?.document),
      sortedText(copy()),
      "the document after create",
    );
    await store.replace(key, revision, { ...hostileKeys, more: true }, later());
    const expected = sortedText({ ...copy(), more: true });
    expectEqual(sortedText((await other.read(key))?.document), expected, "the document after replace");
    expectTrue(!("polluted" in {}), "Expected the key `__proto__` to be data, but it changed all objects.");
  },
};

const keepsMegabyte: Check = {
  name: "keeps a session of a megabyte",
  async run({ store, other, later }) {
    const large = "é\0😀".repeat(1 << 18);
    const revision = expectWritten(await store.create(key, { cookie: {}, large }, later()), "create");
    expectTrue((await other.read(key))?.document.large === large, "Expected the whole text after create.");
    await other.replace(key, revision, { cookie: {}, large: `${large}!` }, later());
    const found = (await store.read(key))?.document.large;
    expectTrue(found === `${large}!`, "Expected the whole text after replace.");
  },
};

const owning: readonly Check[] = [
  {
    name: "gives a fresh copy on each read",
    async run({ store, later }) {
      await store.create(key, { cookie: {}, list: [1] }, later());
      expectFound(await store.read(key), "read").document.list = "changed by the reader";
      expectEqual((await store.read(key))?.document.list, [1], "the next read");
    },
  },
  {
    name: "leaves a document to the caller as soon as create and replace have returned their promise",
    async run({ store, later }) {
      const mine = { cookie: {}, list: [1] };
      const creating = store.create(key, mine, later());
      mine.list.push(2);
      const revision = expectWritten(await creating, "create");
      expectEqual((await store.read(key))?.document.list, [1], "what create stored");
      const replacing = store.replace(key, revision, mine, later());
      mine.list.push(3);
      expectWritten(await replacing, "replace");
      expectEqual((await store.read(key))?.document.list, [1, 2], "what replace stored");
      expectEqual(mine, { cookie: {}, list: [1, 2, 3] }, "the caller's document");
    },
  },
  {
    name: "takes frozen documents, and changes none",
    async run({ store, later }) {
      const frozen = (n: number): SessionDocument => {
        const cookie = Object.freeze({ originalMaxAge: 3_600_000, expires: new Date(later()).toISOString() });
        return Object.freeze({ cookie, nested: Object.freeze({ list: Object.freeze([n]) }) });
      };
      const revision = expectWritten(await store.create(key, frozen(1), later()), "create");
      expectWritten(await store.replace(key, revision, frozen(2), later()), "replace");
      expectEqual((await store.read(key))?.document.nested, { list: [2] }, "the data");
    },
  },
  {
    name: "refuses data that is not JSON, and changes nothing",
    async run({ store, later }) {
      const circular: SessionDocument = { cookie: {} };
      circular.self = circular;
      const created = await expectRejection(() => store.create(key, circular, later()), "create");
      expectTrue(created.name === "TypeError", `Expected a TypeError of create, got ${created.name}.`);
      expectEqual(await store.read(key), null, "read after that");
      const revision = expectWritten(await store.create(key, { cookie: {}, n: 1 }, later()), "create");
      const replaced = await expectRejection(
        () => store.replace(key, revision, circular, later()),
        "replace",
      );
      expectTrue(replaced.name === "TypeError", `Expected a TypeError of replace, got ${replaced.name}.`);
      expectEqual((await store.read(key))?.document.n, 1, "what is stored after that");
    },
  },
];

const listing: readonly Check[] = [
  {
    name: "lists, counts and clears, where it can",
    async run({ store, other, harness, later }) {
      const sids = ["1", "2"];
      for (const sid of sids) await store.create(keyOf(sid), { cookie: {}, of: sid }, later());
      // Wrapped stores may list and count expired sessions.
      if (store.atomic) await store.create(keyOf("over"), { cookie: {}, of: "over" }, later(1000));
      await harness.advance(2000);
      const all = await other.all?.();
      if (all)
        expectEqual(
          Object.values(all)
            .map((one) => one.of)
            .sort(),
          sids,
          "what all() lists",
        );
      if (store.count) expectEqual(await store.count(), sids.length, "count()");
      if (!store.clear) return;
      await store.clear();
      for (const sid of sids) expectEqual(await other.read(keyOf(sid)), null, `read of ${sid} after clear()`);
    },
  },
];

/** Keys are sorted, since some databases order them. */
function sortedText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
