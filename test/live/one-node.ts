/**
 * A node over a database that other nodes use as well, with everything on its way between them in the hand of the test. One
 * session, `{ n: 1 }`, is stored.
 *
 * ```ts
 * const on = await oneNode();
 * const socket = on.handshake();
 * await on.elsewhere.logout();
 * await on.store.finish();
 * expect(await socket.admitted).toBeNull();
 * ```
 */

import { type Snapshot, snapshotOf } from "../../src/data/snapshot.ts";
import { SessionHandle } from "../../src/session/session-handle.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { cookie, listening, liveSet, stored } from "./live-set.ts";
import { ScheduledStore } from "./scheduled-store.ts";

export async function oneNode() {
  const clock = new ManualClock();
  const database = memoryStore({ clock });
  const store = new ScheduledStore(database);
  const set = liveSet(store, clock);
  const key = await stored({ ...set, store: database }, "a", { n: 1 });
  await settle();
  if (set.hub.freshness.feed.state !== "whole") throw new Error("Expected the feed to be whole.");

  return {
    ...set,
    clock,
    database,
    store,
    key,
    /** A request that loads the session. */
    async request(): Promise<Snapshot | undefined> {
      const found = await set.hub.reads.read(key);
      return found ? snapshotOf(structuredClone(found)) : undefined;
    },
    /** `sessions.of(req)` of a request that has loaded `seed`, and what it hears. */
    handle(seed: Snapshot | undefined) {
      const one = new SessionHandle({ ...set, userId: () => undefined }, key, { seed });
      const heard: unknown[] = [];
      one.on("change", (data, previous) => heard.push({ data, previous }));
      one.on("end", (reason) => heard.push(reason));
      return { one, heard };
    },
    /** A socket's handshake: it is registered first, and the session read afterwards. */
    handshake() {
      const observer = listening();
      const entry = set.hub.observe(key, observer);
      return { entry, observer, admitted: set.hub.reads.load(entry) };
    },
    elsewhere: {
      async write(data: object) {
        const current = await database.read(key);
        if (current) await database.replace(key, current.revision, { cookie, ...data }, "keep");
      },
      logout: () => database.destroy(key, "destroyed"),
    },
  };
}

export type OneNode = Awaited<ReturnType<typeof oneNode>>;
