import { io } from "socket.io-client";
import { sessionClient } from "socket-session/client";

/** One of each for all pages, in the browser alone: Next runs this file on the server as well. */
export const socket = typeof window === "undefined" ? undefined : io();
export const session = socket && sessionClient(socket, { routes: "/session" });
