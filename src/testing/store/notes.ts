/** Notes: what one process publishes by `tell` reaches all listeners, and is no change to any of them. */
import type { SessionStore } from "../../session-store.ts";
import { eventually, expectEqual } from "./expectations.ts";
import { keyOf } from "./keys.ts";
import { allReceived, type RecordingListener, subscribe } from "./recording-listener.ts";
import type { Check } from "./setting.ts";

/** As long as a note may be, with everything that a format may have to escape. */
const longest = `"\\{}\n\u{1f512}é${"x".repeat(4_000)}`;

export const noteChecks: readonly Check[] = [
  {
    name: "carries notes to every listener, that of the writer included, as they are and in any order",
    async run({ store, other }) {
      const near = await subscribe(store);
      const far = await subscribe(other);
      const notes = ["first", longest, "first", "last"];
      for (const note of notes) await tell(store, note);
      for (const { received } of [near, far]) {
        await allTold(received, notes.length);
        expectEqual(received.notes.toSorted(), notes.toSorted(), "the notes that were received");
      }
      await tell(other, "back");
      await allTold(near.received, notes.length + 1);
      expectEqual(near.received.notes.at(-1), "back", "the note of the other connection");
    },
  },
  {
    name: "takes a note for no change, and stores nothing that is a session",
    async run({ store, other, later }) {
      const { received } = await subscribe(other);
      await store.create(keyOf("a session"), { cookie: {} }, later());
      for (const note of ["{}", '{"kind":"cleared"}', '{"kind":"changed","ids":["a"]}'])
        await tell(store, note);
      await allTold(received, 3);
      await allReceived(store, received);
      expectEqual(received.changes, [], "the changes that were received");
      expectEqual(received.missedCount, 0, "how often `missed` was called");
      if (store.count) expectEqual(await store.count(), 1, "the number of sessions");
      if (store.all) expectEqual(Object.keys(await store.all()).length, 1, "the number of all sessions");
    },
  },
  {
    name: "delivers no notes after unsubscribe, nor those of before",
    async run({ store, other }) {
      const stopped = await subscribe(other);
      const going = await subscribe(other);
      await stopped.stop();
      await tell(store, "a note");
      await allTold(going.received, 1);
      expectEqual(stopped.received.notes, [], "the notes that were received after unsubscribe");
      const late = await subscribe(other);
      await tell(store, "another");
      await allTold(late.received, 1);
      expectEqual(late.received.notes, ["another"], "the notes that a later subscription received");
    },
  },
];

async function tell(store: SessionStore, note: string): Promise<void> {
  if (!store.tell) throw new Error("Expected a store that carries notes, but it has no tell().");
  await store.tell(note);
}

async function allTold({ notes }: RecordingListener, count: number): Promise<void> {
  await eventually(
    () => notes.length >= count,
    () => `Expected a listener to receive ${count} notes, but it has received ${notes.length}.`,
  );
}
