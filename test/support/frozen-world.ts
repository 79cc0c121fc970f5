/**
 * An application whose node can be frozen: its clock jumps, and its feed has been silent since.
 *
 * ```ts
 * const frozen = await frozenWorld({ sockets: installHandlers });
 * await frozen.freeze(60_000);
 * ```
 */
import type { FeedListener, SessionKey, SessionStore, StoredSession } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { ManualClock } from "./manual-clock.ts";
import { startWorld, type WorldOptions } from "./world.ts";

export async function frozenWorld(options: Pick<WorldOptions, "sockets" | "routes" | "io"> = {}) {
  const clock = new ManualClock();
  const memory = memoryStore({ clock });
  const listeners: FeedListener[] = [];
  /** Reads that the database has answered, and whose answers are on their way. */
  let held: (() => void)[] | undefined;
  const read = memory.read.bind(memory);
  const store: SessionStore = Object.assign(memory, {
    changes: async (listener: FeedListener) => {
      listeners.push(listener);
      return async () => {};
    },
    read: async (key: SessionKey): Promise<StoredSession | null> => {
      const answer = await read(key);
      if (held) await new Promise<void>((arrive) => held?.push(arrive));
      return answer;
    },
  });
  const world = await startWorld({ store, clock, ...options });
  const alive = () => listeners[0]?.alive?.(clock.now());
  return {
    world,
    clock,
    alive,
    freeze: async (ms: number) => {
      alive();
      await clock.advance(ms);
    },
    cutFeed: () => listeners[0]?.broken(new Error("cut")),
    holdReads: () => {
      held ??= [];
    },
    heldReads: () => held?.length ?? 0,
    letReadsGo: () => {
      const arrived = held ?? [];
      held = undefined;
      for (const arrive of arrived) arrive();
    },
  };
}
