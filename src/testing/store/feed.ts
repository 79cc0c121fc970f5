/** The change feed: which changes are published, to which listeners, and in which order. */
import { eventually, expectEqual, expectTrue, expectWritten, shown } from "./expectations.ts";
import { keyOf } from "./keys.ts";
import {
  allReceived,
  feedOptions,
  isOf,
  RecordingListener,
  subscribe,
  subscribeWith,
} from "./recording-listener.ts";
import type { Check } from "./setting.ts";

const key = keyOf("a session");

/** As long as a message may be, in characters of the most bytes. */
const words = "\u{1f512}".repeat(100);

const publishing: readonly Check[] = [
  {
    name: "publishes changes and ends to every listener, exactly and in order",
    async run({ store, other, later }) {
      const near = await subscribe(store);
      const far = await subscribe(other);
      const first = expectWritten(await store.create(key, { cookie: {}, n: 0 }, later()), "create");
      const second = await store.replace(key, first, { cookie: {}, n: 1 }, later(), undefined, "write 1");
      const revision = expectWritten(second, "replace");
      await other.replace(key, revision, { cookie: {}, n: 2 }, later(), undefined, "write 2");
      await other.destroy(key, "revoked", false, words);
      await store.create(key, { cookie: {} }, later());
      await store.destroy(key, "replaced");
      await allReceived(other, near.received, far.received);
      for (const { received } of [near, far]) {
        const published = received.changes.map((change) => ({
          isOfSession: isOf(change, key),
          ...(change.kind === "changed"
            ? { write: change.write }
            : { reason: change.reason, message: change.message }),
        }));
        const expected = [
          { write: "write 1" },
          { write: "write 2" },
          { reason: "revoked", message: words },
          { reason: "replaced", message: undefined },
        ];
        expectEqual(
          published,
          expected.map((one) => ({ isOfSession: true, ...one })),
          "what was published",
        );
        for (const { publicIds } of received.changes)
          if (publicIds) expectEqual(publicIds, key.publicIds, "the public ids of a change");
        expectEqual(received.missedCount, 0, "how often `missed` was called of a feed that is whole");
        expectEqual(received.errors, [], "what `broken` was called with of a feed that is whole");
      }
    },
  },
  {
    name: "publishes nothing of reads, touches, and writes that changed nothing",
    async run({ store, other, later, harness }) {
      await store.create(keyOf("over before anyone listened"), { cookie: {} }, later());
      await store.destroy(keyOf("over before anyone listened"), "destroyed");
      const revision = await store.create(key, { cookie: {} }, later());
      const expired = await store.create(keyOf("expired"), { cookie: {} }, later(1000));
      await harness.advance(1000);
      const near = await subscribe(store);
      const far = await subscribe(other);
      await store.read(key);
      await store.touch(key, later(), { expires: null });
      await store.create(key, { cookie: {} }, later());
      await store.replace(key, `${revision} is stale`, { cookie: {} }, later());
      await store.replace(keyOf("expired"), expired ?? "", { cookie: {} }, later());
      await store.destroy(keyOf("expired"), "destroyed");
      await store.destroy(keyOf("never stored"), "destroyed");
      await allReceived(store, near.received, far.received);
      expectEqual(near.received.changes, [], "what this connection published");
      expectEqual(far.received.changes, [], "what reached the other connection");
    },
  },
  {
    name: "publishes what a listener writes after what it received",
    async run({ store, later }) {
      const answering = new RecordingListener();
      let answered: Promise<boolean> | undefined;
      answering.changed = () => {
        answering.changed = () => {};
        answered = store.destroy(keyOf("answer"), "revoked");
      };
      await store.changes?.(answering, feedOptions);
      const { received } = await subscribe(store);
      await store.create(keyOf("answer"), { cookie: {} }, later());
      await store.create(key, { cookie: {} }, later());
      await store.destroy(key, "destroyed");
      await eventually(
        () => answered !== undefined,
        () => "Expected the listener to receive the end of a session.",
      );
      expectEqual(await answered, true, "destroy by a listener");
      await allReceived(store, received);
      const order = received.changes.map((change) =>
        [key, keyOf("answer")].findIndex((one) => isOf(change, one)),
      );
      expectEqual(order, [0, 1], "the order of the two ends");
    },
  },
  {
    name: "calls `missed` when all sessions are cleared",
    async run({ store, other, later }) {
      if (!store.clear) return;
      await store.create(key, { cookie: {} }, later());
      const near = await subscribe(store);
      const far = await subscribe(other);
      await store.clear();
      await allReceived(store, near.received, far.received);
      expectEqual(near.received.missedCount, 1, "how often `missed` was called at this connection");
      expectEqual(far.received.missedCount, 1, "how often `missed` was called at the other");
      expectEqual(await other.read(key), null, "read after clear()");
    },
  },
];

const listening: readonly Check[] = [
  {
    name: "goes on where a listener throws",
    async run({ store, other, later }) {
      let calls = 0;
      const thrower = new RecordingListener();
      thrower.changed = () => {
        calls += 1;
        throw new Error("a listener's own failure");
      };
      for (const connection of [store, other]) await subscribeWith(connection, thrower);
      const near = await subscribe(store);
      const far = await subscribe(other);
      await store.create(key, { cookie: {} }, later());
      expectEqual(await store.destroy(key, "destroyed"), true, "destroy while a listener throws");
      await allReceived(store, near.received, far.received);
      expectEqual(near.received.changes.length, 1, "how many changes the next listener received");
      expectEqual(
        far.received.changes.length,
        1,
        "how many changes the other connection's listener received",
      );
      expectTrue(calls > 0, "Expected the listener that throws to be called.");
    },
  },
  {
    name: "stops at unsubscribe, for that subscription alone",
    async run({ store, other, later }) {
      const stopped = await subscribe(other);
      const going = await subscribe(other);
      await store.create(key, { cookie: {} }, later());
      await stopped.stop();
      await stopped.stop();
      await store.destroy(key, "destroyed");
      await allReceived(store, going.received);
      expectEqual(going.received.changes.length, 1, "how many changes the other subscription received");
      expectEqual(stopped.received.changes, [], "what was received after unsubscribe");
      await going.stop();

      const again = await subscribe(other);
      await allReceived(store, again.received);
      expectEqual(again.received.changes, [], "what a later subscription received of before it");
      expectEqual(again.received.missedCount, 0, "how often its `missed` was called");
    },
  },
  {
    name: "says by `alive` only what is true: everything published before that time has been received",
    async run({ store, other, later, harness }) {
      const received = new WatchedListener(() => harness.now());
      await subscribeWith(other, received);
      await store.create(key, { cookie: {} }, later());
      await store.destroy(key, "revoked");
      await harness.advance(1000);
      const since = harness.now();
      await allReceived(store, received);
      const mayVouch = () => received.signs.some(({ asOf }) => asOf >= since);
      if (received.signs.length > 0)
        // a feed that never calls it is trusted
        await eventually(
          mayVouch,
          () => `Expected alive() of ${since} or later, got ${shown(received.signs.at(-1))}.`,
        );
      const wrong = received.signs.filter(({ asOf, at, hadEnd }) => asOf > at || (asOf >= since && !hadEnd));
      expectEqual(wrong, [], "calls of alive() that were early");
    },
  },
];

export const feedChecks: readonly Check[] = [...publishing, ...listening];

/** Records at each call of `alive` what had been received by then. */
class WatchedListener extends RecordingListener {
  readonly #now: () => number;
  readonly signs: { readonly asOf: number; readonly at: number; readonly hadEnd: boolean }[] = [];
  #hadEnd = false;

  constructor(now: () => number) {
    super();
    this.#now = now;
  }

  override changed(change: Parameters<RecordingListener["changed"]>[0]): void {
    super.changed(change);
    this.#hadEnd ||= isOf(change, key);
  }

  alive(asOf: number): void {
    this.signs.push({ asOf, at: this.#now(), hadEnd: this.#hadEnd });
  }
}
