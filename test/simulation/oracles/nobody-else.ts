import { historyOf } from "./history.ts";
import type { Oracle } from "./oracle.ts";

/** How long the node may take to close a refused connection (`UnprovenConnection`), and the client to notice. */
const refusedMs = 17_000;

/** A connection serves only the client that opened it, and a client without a session is not admitted. */
export const nobodyElse: Oracle = {
  name: "nobody-else",
  promise:
    "A poll or upgrade that carried another session than its handshake, or none, is refused; so is a client without a session.",
  judge(run) {
    const { troubles } = historyOf(run);
    return run.events.flatMap((event) => {
      if (event.kind !== "intruder" || !event.isLetIn) return [];
      const { at, node, session, what } = event;
      if (what === "stay" && troubles.wasPaused(node, at - refusedMs, at)) return [];
      return [{ at, text: `${node} let in a client that has no right to ${session}: ${what}.` }];
    });
  },
};
