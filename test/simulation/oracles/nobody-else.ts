import { historyOf } from "./history.ts";
import type { Oracle } from "./oracle.ts";

/** How long the node may take to close a refused connection (`UnprovenConnection`), and the client to notice. */
const refusedMs = 17_000;

/**
 * A connection serves only the client that opened it, a client without a session is not admitted, and each one gets the
 * session that it has proven.
 */
export const nobodyElse: Oracle = {
  name: "nobody-else",
  promise:
    "A poll or upgrade that carried another session than its handshake, or none, is refused; so is a client without a session.",
  judge(run) {
    const { sockets, troubles } = historyOf(run);
    return run.events.flatMap((event) => {
      if (event.kind === "admitted") {
        const { at, node, session, socket } = event;
        const proven = sockets.get(socket)?.asks.event.session ?? session;
        if (proven === session) return [];
        return [
          { at, text: `${node} admitted ${socket}, whose client has proven ${proven}, to ${session}.` },
        ];
      }
      if (event.kind !== "intruder" || !event.isLetIn) return [];
      const { at, node, session, what } = event;
      if (what === "stay" && troubles.wasPaused(node, at - refusedMs, at)) return [];
      return [{ at, text: `${node} let in a client that has no right to ${session}: ${what}.` }];
    });
  },
};
