import type { Clock } from "../base/clock.ts";
import type { Snapshot } from "../data/snapshot.ts";
import type { SessionKey, SessionStore } from "../session-store.ts";
import type { Actors } from "./actors.ts";
import type { End } from "./live-entry.ts";
import type { NodesOptions } from "./nodes.ts";

/** What the hub reports to the application's own listeners. */
interface HubEvents {
  changed(key: SessionKey, snapshot: Snapshot): void;
  /** `last`: the last version that this node has seen, if any. */
  ended(key: SessionKey, end: End, last: Snapshot | undefined): void;
  /** This node has stored a version: on top of `previous`, whose data differ, or for the first time if that is undefined. */
  stored(key: SessionKey, snapshot: Snapshot, previous: Snapshot | undefined): void;
  failed(error: unknown): void;
  feed(state: "whole" | "broken"): void;
}

export interface HubOptions extends Pick<NodesOptions, "nodeName" | "sign"> {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly revalidateIntervalMs: number;
  readonly staleMs: number;
  readonly storeTimeoutMs: number;
  /** How long a session may live since it was stored under its id. Infinity: no limit. */
  readonly absoluteMs: number;
  readonly actors: Actors;
  readonly events: HubEvents;
}
