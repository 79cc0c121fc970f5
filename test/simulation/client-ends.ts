import { endReasons } from "../../src/protocol.ts";

/** Whether a client stays away after its session has ended for this reason. */
export function staysAway(reason: string): boolean {
  return Object.entries(endReasons).some(([name, { client }]) => name === reason && client === "stops");
}
