/**
 * What is read of one session among many: one that is damaged keeps none of the others from being listed.
 *
 * ```ts
 * rows.map((row) => ifReadable(() => storedSession(row))); // null where that throws
 * ```
 */
import createDebug from "debug";
import { errorText } from "../../base/errors.ts";

const debug = createDebug("socket-session:store");

/** Null if `read` throws, which is debug output: whoever reads that session by itself is told. */
export function ifReadable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    debug("a stored session can't be read: %s", errorText(error));
    return null;
  }
}
