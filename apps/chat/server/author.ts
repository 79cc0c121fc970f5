import type { ChatSocket } from "./serve-sockets.ts";

/**
 * Whose messages a socket writes, the same on every device of a user. A guest has no user, and is told from other guests
 * for as long as the socket lasts; no name of a user begins in the same way.
 */
export function authorOf({ session, id }: ChatSocket): string {
  return session.userId === undefined ? `guest ${id}` : `user ${session.userId}`;
}
