/** The interface of an oracle: a pure function over the facts of one run, for one promise of the product. */
import type { SessionsPerUser } from "../../../src/session/user-cap.ts";
import type { Settings } from "../settings.ts";
import type { TraceEvent } from "../trace.ts";

export interface RunFacts {
  readonly events: readonly TraceEvent[];
  readonly settings: RunSettings;
}

/**
 * - `complete`: it reports every write.
 * - `by writer`: the writer reports its write, as long as it runs and reaches the database.
 * - `incomplete`: neither; also where there is no feed.
 */
export type FeedKind = "complete" | "by writer" | "incomplete";

export interface RunSettings extends Omit<Settings, "updateTimeoutMs"> {
  readonly feed: FeedKind;
  /** By how much a node's clock is ever wrong, jumps and drift included. */
  readonly maxSkewMs: number;
  readonly cap?: SessionsPerUser | undefined;
}

export interface Violation {
  /** Milliseconds of the world. */
  readonly at: number;
  readonly text: string;
}

export interface Oracle {
  readonly name: string;
  /** The sentence of the documentation that it holds the product to. */
  readonly promise: string;
  judge(run: RunFacts): Violation[];
}
