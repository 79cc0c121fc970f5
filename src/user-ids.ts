import { invalid } from "./base/arguments.ts";
import { SocketSessionError } from "./base/errors.ts";
import type { SessionValues } from "./data/fields.ts";
import type { ResolvedOptions } from "./options/options.ts";

/**
 * The user that `value` names: a string, or a number as text, so that 1 and "1" are one user. Otherwise undefined.
 * Objects would all become one user, `[object Object]`; so would large numbers that are rounded to the same value.
 */
export function userNamed(value: unknown): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  const isExact = typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  return isExact ? String(value) : undefined;
}

/** The user of each session, by the `userId` option. A faulty result is reported, and the session then has no user. */
export class UserIds {
  readonly #userId: ResolvedOptions["userId"];
  readonly #report: (error: unknown) => void;
  readonly #reportedTypes = new Set<string>();

  constructor(userId: ResolvedOptions["userId"], report: (error: unknown) => void) {
    this.#userId = userId;
    this.#report = report;
  }

  of(data: Readonly<SessionValues>): string | undefined {
    let value: unknown;
    try {
      value = this.#userId?.(data);
    } catch (cause) {
      const message = "The `userId` option threw; the session then has no user.";
      this.#report(new SocketSessionError("LISTENER_FAILED", message, { cause }));
      return undefined;
    }
    if (value === undefined || value === null || value === "") return undefined;
    return userNamed(value) ?? this.#refused(value);
  }

  /** Reports each type once, as the option is called at every event. */
  #refused(value: unknown): undefined {
    void settled(value);
    const type = Array.isArray(value) ? "array" : typeof value;
    if (this.#reportedTypes.has(type)) return;
    this.#reportedTypes.add(type);
    const cure =
      "Return a string or a number (no integer beyond 2^53, which is rounded), such as (data) => data.passport?.user?.id, and not from an async function. Until then the session has no user. This is reported once.";
    this.#report(invalid("`userId` expects to return the name of a user", value, cure));
  }
}

/** Ignores the rejection of a promise, which must not end the process. */
async function settled(value: unknown): Promise<void> {
  try {
    await value;
  } catch {
    // its type is reported
  }
}
