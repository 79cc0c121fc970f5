import type { Socket } from "socket.io-client";
import { type StateMessage, stateEvent } from "socket-session/protocol";

/** The states of its session that a client was told, oldest first. To be called before it connects. */
export function statesOf(socket: Socket): StateMessage[] {
  const states: StateMessage[] = [];
  socket.on(stateEvent, (message) => states.push(message));
  return states;
}
