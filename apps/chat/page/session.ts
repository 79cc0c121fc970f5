import { sessionClient } from "socket-session/client";
import type { SharedData } from "../shared/events.ts";
import { socket } from "./open-socket.ts";

/** The state of this page's session: all that the page knows of it. */
export const session = sessionClient<SharedData>(socket, { routes: "/session" });

export type SessionSnapshot = ReturnType<typeof session.getSnapshot>;
