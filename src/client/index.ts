/** The page's half: the state of its session, login and logout in all tabs, and tickets. It imports nothing of Node. */
export type { SessionClient, SessionClientEvents, SessionClientOptions } from "./api.ts";
export type { PageSocket } from "./page-socket.ts";
export { sessionClient } from "./session-client.ts";
export type { Help, SessionSnapshot } from "./snapshot.ts";
export { ticketAuth } from "./ticket-auth.ts";
