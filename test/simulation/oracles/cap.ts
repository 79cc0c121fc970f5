import { secondMs } from "./bounds.ts";
import { type History, historyOf, type OperationHistory } from "./history.ts";
import type { Oracle, Violation } from "./oracle.ts";

/** After logins in quiet times, the user has as many sessions as the cap allows: whatever went wrong before. */
export const cap: Oracle = {
  name: "cap",
  promise: "Logins on several nodes leave exactly `max`.",
  judge(run) {
    const { cap, maxSkewMs } = run.settings;
    const history = historyOf(run);
    const logins = [...history.operations.values()].filter(({ key }) => key === "capped");
    const quiet = quietOf(history, logins);
    const last = lastOutcome(quiet);
    if (!cap || !last) return [];
    const { at } = last.event;
    const stands = logins.map(({ session }) => history.session(session).standAt(last.index));
    const stored = stands.filter((stand) => stand !== undefined).filter(({ values }) => values !== null);
    // those that are about to expire are over on some nodes only
    const lasting = stored.filter(({ expiresAt }) => expiresAt > at + maxSkewMs + secondMs);
    const least = Math.min(cap.max, quiet.length);
    const text = `${quiet.length} logins in quiet times have left the user`;
    const violations: Violation[] = [];
    if (lasting.length > cap.max)
      violations.push({ at, text: `${text} ${lasting.length} of ${cap.max} sessions.` });
    if (stored.length < least)
      violations.push({ at, text: `${text} ${stored.length} sessions, not ${least}.` });
    return violations;
  },
};

/** The logins that began when nothing of before was under way, and after the user had logged out. */
function quietOf(
  { calmAt, bounds, operations }: History,
  logins: readonly OperationHistory[],
): OperationHistory[] {
  const sessions = new Set(logins.map(({ session }) => session));
  const logouts = [...operations.values()].filter(
    ({ what, session }) => what === "end" && sessions.has(session),
  );
  const since = lastOutcome(logouts)?.index ?? 0;
  const from = (calmAt ?? Number.POSITIVE_INFINITY) + bounds.settleMs;
  return logins.filter(({ begins: { event, index } }) => event.at > from && index > since);
}

function lastOutcome(operations: readonly OperationHistory[]): OperationHistory["outcome"] {
  const outcomes = operations.flatMap(({ outcome }) => outcome ?? []);
  return outcomes.sort((a, b) => a.index - b.index).at(-1);
}
