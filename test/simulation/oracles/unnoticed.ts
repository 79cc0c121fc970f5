import { noticeMs } from "./bounds.ts";
import type { History } from "./history.ts";
import type { RunFacts } from "./oracle.ts";

/** How long a node may serve a session at `at` without having noticed what happened to it at `since`, and why. */
export function unnoticedFor(
  { settings }: RunFacts,
  { troubles }: History,
  node: string,
  since: number,
  at: number,
): { limitMs: number; why: string } {
  const { staleMs, revalidateIntervalMs, maxSkewMs, feed } = settings;
  // By the end of a fault's aftermath the node has caught up with the missed changes.
  const isWhole = (["feed", "opening"] as const).every((one) =>
    troubles.isQuiet(one, node, at - noticeMs, at),
  );
  const isTold = feed === "complete" || (feed === "by writer" && troubles.isQuietEverywhere(since, at));
  if (isTold && isWhole) return { limitMs: noticeMs, why: "nothing goes wrong there" };
  if (troubles.isQuiet("store", node, since, at))
    return { limitMs: revalidateIntervalMs + noticeMs, why: "only its feed may be cut" };
  // Ages go by the node's clock: one that is set back makes a snapshot look younger by as much.
  const jumpsMs = 2 * maxSkewMs * troubles.jumps(node, since - staleMs, at);
  return { limitMs: staleMs + jumpsMs + maxSkewMs + 2, why: "no snapshot is served that is staler" };
}
