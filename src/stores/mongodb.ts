/** Sessions in mongodb. */
import type { SessionStore } from "../core/session-store.ts";

export function mongodbStore(_options: object): SessionStore {
  throw new Error("not yet");
}
