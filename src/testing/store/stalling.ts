/** A database that does not answer for a while: pending operations settle with a true result, and `close` does not wait. */
import assert from "node:assert/strict";
import { expectEqual, expectTrue, expectWritten, shown } from "./expectations.ts";
import { keyOf } from "./keys.ts";
import { allReceived, subscribe } from "./recording-listener.ts";
import type { Check, ResolvedTraits, Setting } from "./setting.ts";

const [key, ended, created] = [keyOf("a session"), keyOf("ended"), keyOf("created")];
const cookie = { originalMaxAge: null, expires: null };

export function stallChecks({ feed, tickets }: ResolvedTraits): readonly Check[] {
  const ofFeed = feed ? [publishesOnce, unsubscribesAnyway] : [];
  return [settlesTruly, closesAnyway, ...ofFeed, ...(tickets ? [takesOnce] : [])];
}

const settlesTruly: Check = {
  name: "settles what was under way while the database did not answer, and has done what it says",
  async run(setting) {
    const { store, other, later } = setting;
    const revision = expectWritten(await store.create(key, { cookie, n: 1 }, later()), "create");
    await store.create(ended, { cookie }, later());
    const [replacing, destroying, creating] = await whileStalled(setting, async () => [
      outcomeOf(store.replace(key, revision, { cookie, n: 2 }, later())),
      outcomeOf(store.destroy(ended, "revoked")),
      outcomeOf(store.create(created, { cookie, n: 3 }, later())),
    ]);
    const [replaced, destroyed, made] = await within(
      Promise.all([replacing, destroying, creating]),
      "what was under way, now that the database answers",
    );
    const found = await other.read(key);
    if (replaced.isDone) {
      expectWritten(replaced.value, "replace, whose revision nothing else has replaced");
      expectEqual(
        [found?.document.n, found?.revision],
        [2, replaced.value],
        "read after a replace that succeeded",
      );
    } else
      expectTrue(
        [1, 2].includes(Number(found?.document.n)),
        `Expected old or new data, got ${shown(found)}.`,
      );
    if (destroyed.isDone) expectEqual(await other.read(ended), null, "read after a destroy that succeeded");
    const fresh = await other.read(created);
    if (made.isDone) expectEqual(fresh?.revision, made.value, "the revision after a create that succeeded");
    expectTrue(
      !fresh || fresh.document.n === 3,
      `Expected all of the new session or none, got ${shown(fresh)}.`,
    );
  },
};

const closesAnyway: Check = {
  name: "closes although the database does not answer",
  async run(setting) {
    const { store, later } = setting;
    await store.create(key, { cookie }, later());
    const outcomes = await whileStalled(setting, async () => {
      const underWay = [outcomeOf(store.read(key)), outcomeOf(store.touch(key, later(), cookie))];
      await within(store.close(), "close() while the database does not answer");
      return underWay;
    });
    await within(Promise.all(outcomes), "what was under way at close(), now that the database answers");
  },
};

const publishesOnce: Check = {
  name: "publishes once what was answered late",
  async run(setting) {
    const { store, other, later } = setting;
    const { received, stop } = await subscribe(other);
    const revision = expectWritten(await store.create(key, { cookie, n: 1 }, later()), "create");
    const [replacing] = await whileStalled(setting, async () => [
      outcomeOf(store.replace(key, revision, { cookie, n: 2 }, later(), undefined, "late")),
    ]);
    const replaced = await within(replacing, "replace, now that the database answers");
    await allReceived(store, received);
    const writes = received.changes.map((change) => change.kind === "changed" && change.write);
    expectTrue(writes.length <= 1, `Expected one change at most, got ${shown(received.changes)}.`);
    const isMissed = received.missedCount > 0;
    if (replaced.isDone && !isMissed)
      expectEqual(writes, ["late"], "what was published, with `missed` not called");
    await stop();
  },
};

const unsubscribesAnyway: Check = {
  name: "ends subscriptions, and those being opened, although the database does not answer",
  async run(setting) {
    const { store, other } = setting;
    const { received, stop } = await subscribe(store);
    const [opening] = await whileStalled(setting, async () => {
      const begun = outcomeOf(subscribe(other));
      await within(stop(), "the end of a subscription while the database does not answer");
      await within(other.close(), "close() while the feed is being opened");
      return [begun];
    });
    await within(opening, "changes() that was overtaken by close(), now that the database answers");
    expectEqual(received.errors, [], "what `broken` was called with after the end of the subscription");
  },
};

const takesOnce: Check = {
  name: "gives no ticket twice that was being taken while the database did not answer",
  async run(setting) {
    const { store, other, later } = setting;
    await store.putTicket?.("a ticket", "{}", later());
    const takes = await whileStalled(setting, async () =>
      [store, other].map((one) => outcomeOf(Promise.resolve(one.takeTicket?.("a ticket")))),
    );
    const outcomes = await within(Promise.all(takes), "takeTicket, now that the database answers");
    const last = await store.takeTicket?.("a ticket");
    const got = [...outcomes.map((one) => (one.isDone ? one.value : null)), last].filter(
      (one) => one !== null,
    );
    const isLost = got.length === 0 && outcomes.some(({ isDone }) => !isDone); // a call that rejects may have taken it
    expectTrue(got.length === 1 || isLost, `Expected the ticket once, got ${shown({ outcomes, last })}.`);
  },
};

/** Runs while the database does not answer, then lets it answer. An array keeps returned promises from being awaited. */
async function whileStalled<Result extends readonly unknown[]>(
  { harness }: Setting,
  run: () => Promise<readonly [...Result]>,
): Promise<readonly [...Result]> {
  if (!harness.stall) throw new Error("Expected a harness with stall(), by the trait `stalls`.");
  const resume = await harness.stall();
  try {
    return await run();
  } finally {
    await resume();
  }
}

type Outcome<T> = { readonly isDone: true; readonly value: T } | { readonly isDone: false };

/** The operation may resolve or reject, since the database did not answer. */
function outcomeOf<T>(operation: Promise<T>): Promise<Outcome<T>> {
  return operation.then(
    (value) => ({ isDone: true, value }),
    () => ({ isDone: false }),
  );
}

const patienceMs = 15_000;

async function within<T>(operation: Promise<T>, what: string): Promise<T> {
  let cancel = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    const error = new assert.AssertionError({
      message: `Expected it to settle within ${patienceMs} ms: ${what}.`,
    });
    const timer = setTimeout(() => reject(error), patienceMs);
    cancel = () => clearTimeout(timer);
  });
  try {
    return await Promise.race([operation, late]);
  } finally {
    cancel();
  }
}
