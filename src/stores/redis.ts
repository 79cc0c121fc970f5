/** Sessions in redis. */
import type { SessionStore } from "../core/session-store.ts";

export function redisStore(_options: object): SessionStore {
  throw new Error("not yet");
}
