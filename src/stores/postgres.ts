/** Sessions in postgres. */
import type { SessionStore } from "../core/session-store.ts";

export function postgresStore(_options: object): SessionStore {
  throw new Error("not yet");
}
