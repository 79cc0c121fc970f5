import { endReasons } from "../../../src/protocol.ts";
import type { EventOf } from "../trace.ts";
import { secondMs } from "./bounds.ts";
import { type History, historyOf } from "./history.ts";
import type { Oracle, RunFacts } from "./oracle.ts";

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
    const history = historyOf(run);
    const { sockets, troubles } = history;
    return run.events.flatMap((event, index) => {
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
      if (isFarewell(run, history, event, index)) return [];
      if (what === "stay" && troubles.wasPaused(node, at - refusedMs, at)) return [];
      return [{ at, text: `${node} let in a client that has no right to ${session}: ${what}.` }];
    });
  },
};

/** A logout removes the cookie: who has none may fetch the farewell of a connection whose session has ended. */
function isFarewell(
  { settings }: RunFacts,
  history: History,
  { at, node, session, what, isBare }: EventOf<"intruder">,
  index: number,
): boolean {
  if (!isBare || what === "join" || what === "stay") return false;
  const isOver = history.session(session).endAt(index, at + settings.maxSkewMs + secondMs);
  const wasClosed = [...history.sockets.values()].some(
    ({ closed }) =>
      closed?.event.node === node &&
      closed.event.session === session &&
      closed.event.reason in endReasons &&
      closed.index < index,
  );
  return isOver !== undefined || wasClosed;
}
