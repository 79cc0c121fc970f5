import { io, type Socket } from "socket.io-client";
import type { ClientToServer, ServerToClient } from "../shared/events.ts";
import { meta } from "./element.ts";

export type ChatSocket = Socket<ServerToClient, ClientToServer>;

/** The page's socket, not connected yet: with the session's cookie, or if it is on another host by tickets. */
export function openSocket(): ChatSocket {
  const sockets = meta("sockets");
  if (!sockets) return io({ autoConnect: false });
  const socket: ChatSocket = io(sockets, { autoConnect: false, auth: (send) => void authenticate(send) });

  /** Called for each connection, as each needs a ticket of its own. */
  async function authenticate(send: (auth: object) => void): Promise<void> {
    const { engine } = socket.io;
    const isCurrent = () => socket.io.engine === engine;
    try {
      const ticket = await fetchTicket();
      if (isCurrent()) send({ ticket }); // else the ticket is late: a newer connection has its own
    } catch {
      if (isCurrent()) engine.close(); // Socket.IO connects again after a pause, and asks for another ticket
    }
  }
  return socket;
}

/** Undefined for a guest. */
async function fetchTicket(): Promise<string | undefined> {
  const response = await fetch("/session/ticket", { method: "POST" });
  const answer: unknown = await response.json();
  if (response.status === 401) return undefined;
  const ticket = typeof answer === "object" && answer !== null && "ticket" in answer ? answer.ticket : "";
  if (typeof ticket === "string" && ticket !== "") return ticket;
  throw new Error(`The server answered ${response.status}.`);
}
