/** Conditional writes: one of many wins, none is lost, and nothing but `create` creates. */
import type { SessionDocument, SessionStore } from "../../session-store.ts";
import {
  expectEqual,
  expectFound,
  expectNear,
  expectStored,
  expectTrue,
  expectWritten,
} from "./expectations.ts";
import { keyOf } from "./keys.ts";
import { type Check, HOUR, type ResolvedTraits } from "./setting.ts";

const key = keyOf("a session");
const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: "/" };
const document: SessionDocument = { cookie, n: 0 };

export function writeChecks({
  atomic,
  feed,
  users,
  tickets,
  uniqueRevisions,
}: ResolvedTraits): readonly Check[] {
  const says: Check = {
    name: "says what it is",
    async run({ store }) {
      expectTrue(/\w/.test(store.name), `Expected a name for errors and stats(), got "${store.name}".`);
      expectEqual(store.atomic, atomic, "atomic");
      expectEqual(store.changes !== undefined, feed, "whether there is changes(), by the trait `feed`");
      expectEqual(
        store.listByUser !== undefined,
        users,
        "whether there is listByUser(), by the trait `users`",
      );
      for (const operation of ["putTicket", "takeTicket"] as const)
        expectEqual(
          store[operation] !== undefined,
          tickets,
          `whether there is ${operation}(), by the trait \`tickets\``,
        );
    },
  };
  return [says, ...creating, ...replacing, ...destroying, ...(uniqueRevisions ? [neverTwice] : [])];
}

const creating: readonly Check[] = [
  {
    name: "reads nothing where nothing was stored",
    async run({ store }) {
      expectEqual(await store.read(key), null, "read of a session that was never stored");
    },
  },
  {
    name: "creates once, and leaves what is there alone",
    async run({ store, other, later, toleranceMs }) {
      const expiresAt = later();
      const revision = expectWritten(await store.create(key, document, expiresAt), "create");
      expectEqual(await other.create(key, { cookie, n: 1 }, later()), null, "create of an id that is taken");
      const found = await other.read(key);
      expectStored(found, { document, expiresAt, revision }, toleranceMs, "read after both");
    },
  },
  {
    name: "creates a session whose id was just generated, and ends none that was not stored",
    async run({ store, other, later }) {
      expectWritten(await store.create(key, document, later(), undefined, true), "create with isNewId");
      expectEqual((await other.read(key))?.document, document, "read");
      const isEnded = await store.destroy(keyOf("never stored"), "destroyed", true);
      expectEqual(isEnded, false, "destroy with isNewId of a session that was never stored");
    },
  },
  {
    name: "lets one of many simultaneous creations win",
    async run({ store, other, later }) {
      const creations = Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? store : other).create(key, { cookie, n }, later()),
      );
      const revisions = await Promise.all(creations);
      const winners = revisions.flatMap((revision, n) => (revision === null ? [] : [n]));
      expectEqual(winners.length, 1, "how many of 20 creations returned a revision");
      expectEqual((await store.read(key))?.document.n, winners[0], "whose document is stored");
    },
  },
];

const replacing: readonly Check[] = [
  {
    name: "keeps the life time that is stored, also one that a touch has extended, where asked to",
    async run({ store, other, later, lasting }) {
      const first = expectWritten(await store.create(key, lasting(HOUR), later()), "create");
      await other.touch(key, later(2 * HOUR), lasting(HOUR).cookie);
      expectWritten(await store.replace(key, first, { ...lasting(HOUR), n: 1 }, "keep"), "replace");
      const found = expectFound(await other.read(key), "read");
      expectEqual(found.document.n, 1, "what was written");
      expectNear(found.expiresAt, later(2 * HOUR), 1000, 'expiresAt after a touch and a replace with "keep"');
    },
  },
  {
    name: "replaces what is still as it was read",
    async run({ store, other, later, toleranceMs }) {
      const first = expectWritten(await store.create(key, document, later()), "create");
      const expiresAt = later(2 * HOUR);
      const replaced = await other.replace(key, first, { cookie, n: 1 }, expiresAt);
      const revision = expectWritten(replaced, "replace of the revision that create returned");
      expectTrue(revision !== first, "Expected another revision for another content.");
      const expected = { document: { cookie, n: 1 }, expiresAt, revision };
      expectStored(await store.read(key), expected, toleranceMs, "read after replace");
    },
  },
  {
    name: "changes nothing on a stale revision",
    async run({ store, other, later, toleranceMs }) {
      const first = expectWritten(await store.create(key, document, later()), "create");
      const expiresAt = later();
      const revision = expectWritten(await store.replace(key, first, { cookie, n: 1 }, expiresAt), "replace");
      const stale = await other.replace(key, first, { cookie, n: 2 }, later(2 * HOUR));
      expectEqual(stale, null, "replace of a revision that was replaced before");
      const expected = { document: { cookie, n: 1 }, expiresAt, revision };
      expectStored(await store.read(key), expected, toleranceMs, "read after that");
    },
  },
  {
    name: "loses none of many concurrent increments",
    timeoutMs: 60_000,
    async run({ store, other, harness, later }) {
      await store.create(key, document, later());
      const connections = [store, other, harness.open(), harness.open()];
      await Promise.all(connections.flatMap((one) => Array.from({ length: 25 }, () => increment(one))));
      expectEqual((await store.read(key))?.document.n, 100, "the number after 100 increments");
    },
  },
];

const destroying: readonly Check[] = [
  {
    name: "never creates by replace or touch",
    async run({ store, other, later }) {
      const never = keyOf("never stored");
      const revision = expectWritten(await store.create(key, document, later()), "create");
      await other.destroy(key, "destroyed");
      expectEqual(
        await store.replace(key, revision, document, later()),
        null,
        "replace of what was destroyed",
      );
      expectEqual(await store.touch(key, later(), cookie), false, "touch of what was destroyed");
      expectEqual(await store.touch(never, later(), cookie), false, "touch of what was never stored");
      expectEqual(await other.read(key), null, "read of what was destroyed");
      expectEqual(await other.read(never), null, "read of what was never stored");
    },
  },
  {
    name: "destroys once",
    async run({ store, other, later }) {
      await store.create(key, document, later());
      expectEqual(await other.destroy(key, "destroyed"), true, "destroy of a stored session");
      expectEqual(await store.destroy(key, "destroyed"), false, "destroy of what was destroyed");
      expectEqual(await store.read(key), null, "read of what was destroyed");
    },
  },
];

const neverTwice: Check = {
  name: "never gives a revision twice for an id",
  async run({ store, other, later }) {
    const seen = new Set<unknown>();
    for (let round = 0; round < 10; round += 1) {
      const first = expectWritten(await (round % 2 ? store : other).create(key, document, later()), "create");
      const second = expectWritten(await store.replace(key, first, document, later()), "replace");
      await other.destroy(key, "destroyed");
      seen.add(first).add(second);
      expectEqual(await store.replace(key, second, document, later()), null, "replace of what was destroyed");
    }
    expectEqual(seen.size, 20, "how many revisions 20 writes of equal content have");
  },
};

async function increment(store: SessionStore): Promise<void> {
  for (;;) {
    const found = expectFound(await store.read(key), "read");
    const incremented = { ...found.document, n: Number(found.document.n) + 1 };
    if ((await store.replace(key, found.revision, incremented, found.expiresAt)) !== null) return;
  }
}
