import { io, type Socket } from "socket.io-client";
import { ticketAuth } from "socket-session/client";
import type { ClientToServer, ServerToClient } from "../shared/events.ts";
import { meta } from "./element.ts";

export type ChatSocket = Socket<ServerToClient, ClientToServer>;

/** The origin of the page's sockets, if they are on another host; else empty. */
export const socketsOrigin = meta("sockets");

/** By WebSocket, and where there is none by polling. */
const options = { autoConnect: false, transports: ["websocket", "polling"], tryAllTransports: true };

/** A stock client, with the session's cookie, or if its server is on another host by tickets. */
export const socket: ChatSocket = socketsOrigin
  ? io(socketsOrigin, { ...options, auth: ticketAuth("/session/ticket") })
  : io(options);
