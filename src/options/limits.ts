/** The options that bound something. Each throws `INVALID_OPTION` for what is no bound. */
import { checkOptions, invalid, invalidChoice } from "../base/arguments.ts";
import { SocketSessionError } from "../base/errors.ts";
import { maxLifeMs } from "../data/life-time.ts";
import type { SessionsPerUser } from "../session/user-cap.ts";
import type { SessionStore } from "../session-store.ts";
import type { MaxUnproven } from "../socket/unproven-limit.ts";

const standardMaxBytes = 1_048_576;
const minLimitBytes = 1_024;

export function absoluteMsOf(absoluteMs: unknown): number {
  if (absoluteMs === undefined) return Number.POSITIVE_INFINITY;
  if (typeof absoluteMs === "number" && absoluteMs >= 1 && absoluteMs <= maxLifeMs) return absoluteMs;
  const expected = `\`absoluteMs\` expects milliseconds, 1 or more, ${maxLifeMs} at most`;
  throw invalidChoice(expected, absoluteMs, "Leave it out for no limit.");
}

export function maxSessionBytesOf(maxSessionBytes: unknown = standardMaxBytes): number {
  if (Number.isSafeInteger(maxSessionBytes) && Number(maxSessionBytes) >= minLimitBytes)
    return Number(maxSessionBytes);
  throw invalidChoice(
    `\`maxSessionBytes\` expects a whole number of bytes, ${minLimitBytes} or more`,
    maxSessionBytes,
    `Leave it out for ${standardMaxBytes}.`,
  );
}

export function maxUnprovenOf(max: unknown = {}): MaxUnproven {
  checkOptions("`maxUnproven`", max, ["all", "perAddress"]);
  const numberOf = (option: string, value: unknown, standard: number): number =>
    value === undefined
      ? standard
      : countOf(`maxUnproven.${option}`, value, "connections", `Leave it out for ${standard}.`);
  return {
    all: numberOf("all", max.all, 1_000),
    perAddress: numberOf("perAddress", max.perAddress, 100),
  };
}

export function socketsPerSessionOf(max: unknown): number {
  if (max === undefined) return Number.POSITIVE_INFINITY;
  return countOf("socketsPerSession", max, "sockets", "Leave it out for no limit.");
}

/** Also refuses, with `STORE_UNSUPPORTED`, a store that can't list the sessions of a user. */
export function sessionsPerUserOf(
  cap: unknown,
  userId: unknown,
  store: SessionStore,
): SessionsPerUser | undefined {
  if (cap === undefined) return undefined;
  checkOptions("`sessionsPerUser`", cap, ["max", "whenFull"]);
  const cure = 'Write sessionsPerUser: { max: 3, whenFull: "endOldest" }, or leave it out for no limit.';
  const max = countOf("sessionsPerUser.max", cap.max, "sessions", cure);
  const { whenFull } = cap;
  if (whenFull !== "refuse" && whenFull !== "endOldest")
    throw invalidChoice('`sessionsPerUser.whenFull` expects "refuse" or "endOldest"', whenFull, cure);
  if (userId === undefined) {
    const say = "Say whose session it is: userId: (data) => data.userId.";
    throw invalid("`sessionsPerUser` expects the `userId` option", userId, say);
  }
  if (store.listByUser) return { max, whenFull };
  const message = `\`sessionsPerUser\` needs a store with an index of users, and the ${store.name} store has none. Use a store of this package, such as redisStore(), with its index, or leave the option out.`;
  throw new SocketSessionError("STORE_UNSUPPORTED", message);
}

function countOf(option: string, value: unknown, things: string, cure: string): number {
  if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value);
  throw invalidChoice(`\`${option}\` expects a number of ${things}, 1 or more`, value, cure);
}
