import { expect, test } from "vitest";
import { Echoes } from "../../src/core/echoes.ts";
import type { FeedListener, SessionChange, SessionStore } from "../../src/core/session-store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { listening, liveSet, stored } from "./live-set.ts";

test("each echo is expected once, also of a revision that comes twice", () => {
  const echoes = new Echoes();
  echoes.expect("a");
  echoes.expect("b");
  echoes.expect("a");
  expect(["a", "b", "a", "a", "b"].map((revision) => echoes.take(revision))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  echoes.expect("c");
  echoes.clear();
  expect(echoes.take("c")).toBe(false);
});

test("own writes that the feed tells late cost no read; another writer's does, also with content that was here before", async () => {
  const clock = new ManualClock();
  const memory = memoryStore({ clock });
  const untold: SessionChange[] = [];
  let listener: FeedListener | undefined;
  let reads = 0;
  const store: SessionStore = Object.assign(memory, {
    changes: async (one: FeedListener) => {
      listener = one;
      return async () => {};
    },
  });
  const { read, replace } = memory;
  store.read = (key) => {
    reads++;
    return read.call(memory, key);
  };
  store.replace = async (key, ...rest) => {
    const revision = await replace.call(memory, key, ...rest);
    if (revision !== null) untold.push({ kind: "changed", publicIds: key.publicIds, revision });
    return revision;
  };
  const set = liveSet(store, clock);
  const key = await stored(set, "a", { n: 0 });
  await set.hub.load(set.hub.observe(key, listening()));
  for (let n = 1; n <= 3; n++) {
    await set.updates.update(key, (draft) => {
      draft.n = n;
    });
  }
  const before = reads;
  for (const change of untold) listener?.changed(change);
  await settle();
  expect(reads).toBe(before);
  const [first] = untold;
  if (first) listener?.changed(first); // told once more: this time it is somebody else's
  await settle();
  expect(reads).toBe(before + 1);
});
