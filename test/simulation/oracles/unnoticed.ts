import { noticeMs } from "./bounds.ts";
import type { History } from "./history.ts";
import type { RunFacts } from "./oracle.ts";

/**
 * How long a node may serve a session at `at` without having noticed what happened to it at `since`, and why. The time
 * before `since` counts as well: a fault outlasts its end by the time that a dead feed takes to be found and caught up with.
 */
export function unnoticedFor(
  { settings }: RunFacts,
  { bounds, troubles }: History,
  node: string,
  since: number,
  at: number,
): { limitMs: number; why: string } {
  const { staleMs, revalidateIntervalMs, maxSkewMs, feed } = settings;
  if (troubles.mayBeUnheard(node, since)) return { limitMs: Number.POSITIVE_INFINITY, why: "" };
  const from = since - bounds.aftermathMs;
  const isWhole = troubles.isQuiet("feed", node, from, at) && troubles.isQuiet("opening", node, since, at);
  if (feed === "complete" && isWhole) return { limitMs: noticeMs, why: "nothing goes wrong there" };
  if (troubles.isQuiet("store", node, from, at))
    return { limitMs: revalidateIntervalMs + noticeMs, why: "only its feed may be cut" };
  // Ages go by the node's clock: one that is set back makes a snapshot look younger by as much.
  const jumpsMs = 2 * maxSkewMs * troubles.jumps(node, since - staleMs, at);
  return { limitMs: staleMs + jumpsMs + maxSkewMs + 2, why: "no snapshot is served that is staler" };
}
