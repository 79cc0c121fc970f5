import { type History, historyOf } from "./history.ts";
import type { Oracle, Violation } from "./oracle.ts";
import type { SessionHistory, Stand } from "./session-history.ts";

/** Each version differs from the one before by what one operation under way does, and by nothing else. */
export const ownKeysOnly: Oracle = {
  name: "own-keys-only",
  promise:
    "A save of `express-session` writes only the top-level keys its request changed, on top of what is stored now.",
  judge(run) {
    const history = historyOf(run);
    return [...history.sessions.values()].flatMap((session) =>
      session.stands.flatMap((stand) => unexplained(history, session, stand)),
    );
  },
};

function unexplained(history: History, session: SessionHistory, stand: Stand): Violation[] {
  const { difference, event, index } = stand;
  if (!difference || difference.kind === "none") return [];
  const fault =
    difference.kind === "odd" ? difference.text : faultOf(history, session, { ...difference, index });
  return fault === undefined ? [] : [{ at: event.at, text: `A version of ${session.name}: ${fault}.` }];
}

interface Written {
  readonly kind: "append" | "save";
  readonly key: string;
  readonly op: string;
  readonly index: number;
}

function faultOf({ operations }: History, session: SessionHistory, written: Written): string | undefined {
  const { kind, key, op, index } = written;
  const operation = operations.get(op);
  const done = `${op} has written ${key}`;
  if (!operation) return `${done}, and there is no such operation`;
  if (operation.what !== kind || operation.session !== session.name)
    return `${done}, and is the ${operation.what} of ${operation.session}`;
  if (operation.key !== undefined && operation.key !== key)
    return `${done}, and was to write ${operation.key}`;
  if (operation.begins.index > index) return `${done} before it began`;
  const { outcome } = operation;
  // An operation without an answer may be done later, as by a database that hung; an answered one may not.
  const isOver =
    outcome && outcome.index < index && !(outcome.event.kind === "failed" && outcome.event.isUnknown);
  return isOver
    ? `${done} after it had ${outcome.event.kind === "done" ? "been acknowledged" : "failed"}`
    : undefined;
}
