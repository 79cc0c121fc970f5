/** How long things may take, derived from the settings of a run and from the constants of `src/`. */
import type { RunSettings } from "./oracle.ts";

/** A change travels from the database to a node where nothing goes wrong, and is read there, within this time. */
export const noticeMs = 200;
/** Some stores count a life in seconds (`expiryToleranceMs` of the hub). */
export const secondMs = 1_000;
/** An event may wait for so long in a middleware of the simulated application (`Chat`), which extends its session before. */
export const middlewareMs = 3_000;
/** After so long the network gives up what was not acknowledged, and a connection that is half open breaks. */
const tcpPatienceMs = 15_000;
/** The longest wait of `RemoteFeed` before it opens its connection again. */
const feedRetryMs = 2_000;
/** The longest wait of a stock client before it tries again: 5 s, and half of it by chance. */
const clientRetryMs = 7_500;

export interface Bounds {
  /** A feed that is silent for so long counts as broken: two heartbeats. */
  readonly silenceMs: number;
  /** A node has a whole feed so long after its start. */
  readonly startMs: number;
  /** Operations on a broken connection have ended this long after the network is whole. */
  readonly connectionsMs: number;
  /** How long a fault may have effects after its end, if both ends know of it at once: the feed is reopened and catches up. */
  readonly reopenedMs: number;
  /** The same where a feed that is dead has to be found first, or reads that have failed are due again later and later. */
  readonly aftermathMs: number;
  /** This long after all faults each client is connected again, or has received a refusal at which it stops. */
  readonly returnMs: number;
  /** So long after all faults each operation has settled. */
  readonly settleMs: number;
}

export function boundsOf({ revalidateIntervalMs, staleMs, storeTimeoutMs }: RunSettings): Bounds {
  const silenceMs = 2 * Math.min(revalidateIntervalMs / 3, 10_000);
  const connectionsMs = tcpPatienceMs + storeTimeoutMs;
  return {
    silenceMs,
    startMs: feedRetryMs + noticeMs,
    connectionsMs,
    reopenedMs: 2 * feedRetryMs + secondMs,
    // A session whose read failed while the feed came back is read again after `revalidateIntervalMs` at the latest.
    aftermathMs: silenceMs + feedRetryMs + connectionsMs + Math.min(revalidateIntervalMs, staleMs),
    returnMs: connectionsMs + storeTimeoutMs + 2 * clientRetryMs,
    settleMs: tcpPatienceMs + 3 * storeTimeoutMs,
  };
}
