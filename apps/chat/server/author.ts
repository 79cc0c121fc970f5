import type { ChatSocket } from "./serve-sockets.ts";

/**
 * The author of a socket's messages: the same on every device of a user. A guest has no user, so each of a guest's sockets
 * is an author. The first words keep the two apart.
 */
export function authorOf({ session, id }: ChatSocket): string {
  return session.userId === undefined ? `guest ${id}` : `user ${session.userId}`;
}
