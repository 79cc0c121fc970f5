/** How the cursors of the change feeds wait, and how they are given up. */
import createDebug from "debug";
import type { Clock } from "../../base/clock.ts";
import { errorText } from "../../base/errors.ts";
import { withTimeout } from "../../base/with-timeout.ts";

const debug = createDebug("socket-session:store");

/** How long the server may keep a question for news open: several answers fit into a heartbeat. */
export function awaitTimeMs(heartbeatMs: number): number {
  return Math.max(1, Math.min(1000, Math.floor(heartbeatMs / 4)));
}

const patienceMs = 1_000;

/** Never rejects: a cursor that can't be closed is gone as well, or the server ends it by itself. */
export function closeCursor(cursor: { close(): Promise<void> }, clock: Clock): Promise<void> {
  return attempt(clock, () => cursor.close(), "closing a cursor of the change feed");
}

/** Waits for `run`, though not for long; what goes wrong is logged (`DEBUG=socket-session:store`). */
export function attempt(clock: Clock, run: () => Promise<unknown>, what: string): Promise<void> {
  return withTimeout(clock, patienceMs, run, () => new Error(`no answer within ${patienceMs} ms`)).then(
    () => undefined,
    (error: unknown) => debug("%s failed: %s", what, errorText(error)),
  );
}
