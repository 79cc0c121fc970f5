/** Ids of every kind: any unicode, NUL, lone surrogates, long ones, hostile to the query language. */
import type { SessionKey } from "../../session-store.ts";
import {
  expectEqual,
  expectRejection,
  expectSameTexts,
  expectTrue,
  expectWritten,
  shown,
} from "./expectations.ts";
import { keyOf } from "./keys.ts";
import { allReceived, isOf, subscribe } from "./recording-listener.ts";
import type { Check, ResolvedTraits, Setting } from "./setting.ts";

const ids = [
  ...["__proto__", "constructor", "toString", "hasOwnProperty"],
  ...["'; DROP TABLE sessions; --", '"', "\\", "%", "_", "*", "?", "$ne", "a.b", "a:b{c}"],
  ...["\0", "a", "a\0", "a\0b", "\ud800", "\ud801", "\udc00", "\ufffd", "é", "e\u0301", "😀", " ", "A"],
  ...["~utf16~", "~utf16~00d8", "~sha256~"], // the prefixes with which some stores escape ids
  ...["x".repeat(10_000), `${"x".repeat(10_000)}y`],
  ...["\ud800".repeat(249), `\ud800${"x".repeat(300)}`, "\ud800".repeat(1001), `${"\ud800".repeat(1001)}y`],
];

export function idChecks({ maxIdBytes, feed, users }: ResolvedTraits): readonly Check[] {
  const isKept = (sid: string) => Buffer.byteLength(sid) <= maxIdBytes;
  const keys = ids.filter(isKept).map(keyOf);
  const refused = ids.filter((sid) => !isKept(sid)).map(keyOf);
  return [
    { name: "keeps sessions apart, whatever their ids are", run: (setting) => keepsApart(setting, keys) },
    ...(feed ? [{ name: "publishes each id so that its node knows it", run: publishes(keys) }] : []),
    ...(users
      ? [{ name: "lists and ends a user's sessions, whatever their ids are", run: lists(keys) }]
      : []),
    ...(refused.length > 0
      ? [{ name: "refuses ids that are too long, and stores nothing", run: refuses(refused) }]
      : []),
  ];
}

async function keepsApart({ store, other, later }: Setting, keys: readonly SessionKey[]): Promise<void> {
  const numbers = keys.map((_, n) => n);
  const sids = keys.map(({ sid }) => sid);
  const revisions = new Map<SessionKey, string | number>();
  for (const [n, key] of keys.entries()) {
    const created = await store.create(key, { cookie: {}, n: -1 }, later());
    revisions.set(key, expectWritten(created, `create of ${shown(key.sid)}, session ${n}`));
  }
  for (const [n, key] of keys.entries()) {
    const replaced = await other.replace(key, revisions.get(key) ?? "", { cookie: {}, n }, later());
    expectWritten(replaced, `replace of ${shown(key.sid)}`);
    expectEqual(await store.touch(key, later(), {}), true, `touch of ${shown(key.sid)}`);
  }
  if (store.count) expectEqual(await other.count?.(), keys.length, "count()");
  // Not tested for wrapped stores: some put the sessions into an object literal.
  const all = store.atomic ? await other.all?.() : undefined;
  if (all) expectSameTexts(Object.keys(all), sids, "the ids that all() lists");
  const many = await other.readMany?.(keys);
  if (many)
    expectEqual(
      many.map((one) => one?.document.n),
      numbers,
      "what readMany found",
    );
  for (const [n, key] of keys.entries()) {
    expectEqual((await other.read(key))?.document.n, n, `read of ${shown(key.sid)}`);
    expectEqual(await other.destroy(key, "destroyed"), true, `destroy of ${shown(key.sid)}`);
  }
  if (store.count) expectEqual(await store.count(), 0, "count() after all were destroyed");
}

function publishes(keys: readonly SessionKey[]) {
  return async ({ store, other, later }: Setting): Promise<void> => {
    const { received, stop } = await subscribe(other);
    for (const key of keys) {
      const revision = expectWritten(await store.create(key, { cookie: {}, n: 1 }, later()), "create");
      await store.replace(key, revision, { cookie: {}, n: 2 }, later(), undefined, "a write");
      await store.destroy(key, "revoked");
    }
    await allReceived(store, received);
    for (const key of keys) {
      const kinds = received.changes.filter((change) => isOf(change, key)).map(({ kind }) => kind);
      expectEqual(kinds, ["changed", "ended"], `what was published of ${shown(key.sid)}`);
    }
    expectEqual(received.changes.length, 2 * keys.length, "how many changes were published");
    await stop();
  };
}

function lists(keys: readonly SessionKey[]) {
  return async ({ store, other, later }: Setting): Promise<void> => {
    for (const key of keys) await store.create(key, { cookie: {}, of: key.sid.length }, later(), "ada");
    const listed = (await other.listByUser?.("ada")) ?? [];
    expectSameTexts(
      listed.map(({ sid }) => sid),
      keys.map(({ sid }) => sid),
      "the ids that listByUser lists",
    );
    for (const { sid, stored } of listed)
      expectEqual(stored?.document.of, sid.length, `what is listed of ${shown(sid)}`);
    for (const { sid } of listed)
      expectEqual(
        await store.destroy(keyOf(sid), "revoked"),
        true,
        `destroy of ${shown(sid)}, as it was listed`,
      );
    expectEqual(await other.listByUser?.("ada"), [], "listByUser after all were ended");
  };
}

function refuses(keys: readonly SessionKey[]) {
  return async ({ store, later }: Setting): Promise<void> => {
    for (const key of keys) {
      const what = `create of an id of ${Buffer.byteLength(key.sid)} bytes`;
      const { message } = await expectRejection(() => store.create(key, { cookie: {} }, later()), what);
      expectTrue(
        / bytes/.test(message),
        `Expected an error that says how many bytes it may have: ${message}`,
      );
      expectEqual(await store.read(key), null, "read of it");
      expectEqual(await store.destroy(key, "destroyed"), false, "destroy of it");
    }
  };
}
