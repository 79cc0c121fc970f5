import type { Clock } from "../base/clock.ts";
import type { Snapshot } from "../data/snapshot.ts";
import type { SessionKey, SessionStore } from "../session-store.ts";
import type { End } from "./live-entry.ts";

/** What the hub reports to the application's own listeners. */
interface HubEvents {
  changed(key: SessionKey, snapshot: Snapshot): void;
  ended(key: SessionKey, end: End): void;
  failed(error: unknown): void;
  feed(state: "whole" | "broken"): void;
}

export interface HubOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly revalidateIntervalMs: number;
  readonly staleMs: number;
  readonly storeTimeoutMs: number;
  readonly events: HubEvents;
}
