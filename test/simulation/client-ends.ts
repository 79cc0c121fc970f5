import { endReasons } from "../../src/protocol.ts";

/** Whether a client of which the session has ended for this reason, or which has left, stays away. */
export function staysAway(reason: string): boolean {
  if (reason === "left") return true;
  return Object.entries(endReasons).some(([name, { client }]) => name === reason && client === "stops");
}
