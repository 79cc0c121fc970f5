/** The effects of `close`. */

import { isOwn } from "../../base/errors.ts";
import type { SessionStore } from "../../session-store.ts";
import { expectEqual, expectRejection, expectTrue, expectWritten, shown } from "./expectations.ts";
import { keyOf } from "./keys.ts";
import { allReceived, feedOptions, RecordingListener, subscribe } from "./recording-listener.ts";
import type { Check, ResolvedTraits } from "./setting.ts";

const key = keyOf("a session");
const cookie = { originalMaxAge: null, expires: null };

export function closingChecks({ outlivesClose, feed }: ResolvedTraits): readonly Check[] {
  if (outlivesClose) return [closesMoreThanOnce, goesOn, ...(feed ? [goesOnPublishing] : [])];
  return [closesMoreThanOnce, finishesWhatWasBegun, refusesWhatComesAfter, ...(feed ? feedEnds : [])];
}

const closesMoreThanOnce: Check = {
  name: "closes more than once",
  async run({ other }) {
    await other.close();
    await Promise.all([other.close(), other.close()]);
  },
};

const goesOn: Check = {
  name: "goes on after close, for those who share the object",
  async run({ store, later }) {
    await store.create(key, { cookie }, later());
    await store.close();
    expectEqual((await store.read(key))?.document, { cookie }, "read after close()");
    expectWritten(await store.create(keyOf("another"), { cookie }, later()), "create after close()");
    expectEqual(await store.destroy(key, "destroyed"), true, "destroy after close()");
  },
};

const goesOnPublishing: Check = {
  name: "goes on publishing after close, for those who share the object",
  async run({ store, other, later }) {
    const { received, stop } = await subscribe(store);
    await store.create(key, { cookie }, later());
    await store.close();
    await other.destroy(key, "revoked");
    await allReceived(other, received);
    expectEqual(received.changes.length, 1, "how many changes were received after close()");
    await stop();
  },
};

const finishesWhatWasBegun: Check = {
  name: "finishes at close what was begun",
  async run({ store, other, later }) {
    const keys = ["1", "2", "3"].map(keyOf);
    const created = Promise.all(keys.map((one) => store.create(one, { cookie }, later())));
    await store.close();
    for (const revision of await created) expectWritten(revision, "create, begun before close()");
    if (other === store) return;
    for (const one of keys)
      expectEqual((await other.read(one))?.document, { cookie }, "read at another connection");
  },
};

const refusesWhatComesAfter: Check = {
  name: "rejects what is begun after close, and does nothing",
  async run({ store, other, later }) {
    const revision = expectWritten(await store.create(key, { cookie, n: 1 }, later()), "create");
    const closing = store.close();
    for (const [name, run] of operationsOf(store, revision, later())) {
      const failure = await expectRejection(run, `${name} after close()`);
      const isStoreFailed = isOwn(failure) && failure.code === "STORE_FAILED";
      expectTrue(
        isStoreFailed,
        `Expected ${name} after close() to reject with STORE_FAILED, got ${shown(failure)}.`,
      );
    }
    await closing;
    if (other === store) return;
    const found = await other.read(key);
    expectEqual(found?.document, { cookie, n: 1 }, "read at another connection");
    expectEqual(await other.read(keyOf("another")), null, "read of a session that was created after close()");
  },
};

const feedEnds: readonly Check[] = [
  {
    name: "calls no listener after close",
    async run({ store, other, later }) {
      const { received, stop } = await subscribe(store);
      const going = await subscribe(other);
      await store.create(key, { cookie }, later());
      await store.close();
      if (other !== store) {
        await other.destroy(key, "revoked");
        await allReceived(other, going.received);
        expectEqual(going.received.changes.length, 1, "how many changes another connection received");
      }
      expectEqual(received.changes, [], "what the subscription of the closed store received");
      expectEqual(received.errors, [], "what `broken` was called with");
      expectEqual(received.missedCount, 0, "how often `missed` was called");
      await stop();
    },
  },
  {
    name: "opens no feed that was being opened at close",
    async run({ store }) {
      const listener = new RecordingListener();
      const opening = expectRejection(
        () => store.changes?.(listener, feedOptions),
        "changes(), overtaken by close()",
      );
      await Promise.all([store.close(), opening]);
      expectEqual(listener.errors, [], "what `broken` was called with");
    },
  },
];

/** A call of each operation that the store has, which would have an effect. */
function operationsOf(store: SessionStore, revision: string | number, expiresAt: number) {
  const document = { cookie, n: 2 };
  const operations: Record<string, () => Promise<unknown> | undefined> = {
    read: () => store.read(key),
    readMany: () => store.readMany?.([key]),
    create: () => store.create(keyOf("another"), document, expiresAt),
    replace: () => store.replace(key, revision, document, expiresAt),
    touch: () => store.touch(key, expiresAt + 1000, cookie),
    destroy: () => store.destroy(key, "destroyed"),
    changes: () => store.changes?.(new RecordingListener(), feedOptions),
    tell: () => store.tell?.("a note"),
    listByUser: () => store.listByUser?.("ada"),
    putTicket: () => store.putTicket?.("a ticket", "{}", expiresAt),
    takeTicket: () => store.takeTicket?.("a ticket"),
    all: () => store.all?.(),
    count: () => store.count?.(),
    clear: () => store.clear?.(),
  };
  return Object.entries(operations).filter(([name]) => Reflect.get(store, name) !== undefined);
}
