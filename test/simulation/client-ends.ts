import { endReasons } from "../../src/protocol.ts";

/** Whether a client of which the session has ended for this reason stays away. */
export function staysAway(reason: string): boolean {
  return Object.entries(endReasons).some(([name, { client }]) => name === reason && client === "stops");
}
