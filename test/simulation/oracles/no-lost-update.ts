import { type History, historyOf, mayBeMade, type OperationHistory } from "./history.ts";
import type { Oracle, Violation } from "./oracle.ts";
import type { SessionHistory, Stand } from "./session-history.ts";

/** n increments at once are n: each acknowledged one counts, and nothing counts twice. What was acknowledged was written. */
export const noLostUpdate: Oracle = {
  name: "no-lost-update",
  promise: "`update(fn)` is a transaction: n increments at once are n.",
  judge(run) {
    const history = historyOf(run);
    const appendsBySession = Map.groupBy(appendsOf(history), ({ session }) => session);
    const counted = [...history.sessions.values()].flatMap((session) =>
      miscounted(session, appendsBySession.get(session.name) ?? []),
    );
    return [...counted, ...unwritten(history)];
  },
};

/** Saves that were acknowledged, and were never stored. */
function unwritten(history: History): Violation[] {
  return [...history.operations.values()].flatMap(({ op, what, node, session, outcome }) => {
    if (what !== "save" || outcome?.event.kind !== "done" || !outcome.event.saw) return [];
    const { storedBy, stands } = history.session(session);
    const isIn = ({ values }: Stand) => values !== null && Object.values(values.registers).includes(op);
    if (storedBy.has(op) || stands.some(isIn)) return [];
    return [
      { at: outcome.event.at, text: `${node} acknowledged ${op}, a save of ${session}, and never wrote it.` },
    ];
  });
}

function appendsOf({ operations }: History): OperationHistory[] {
  return [...operations.values()].filter(({ what }) => what === "append");
}

/** The first version whose counter is wrong. */
function miscounted(session: SessionHistory, appends: readonly OperationHistory[]): Violation[] {
  const begun = appends.filter(mayBeMade).sort((a, b) => a.begins.index - b.begins.index);
  const done = appends
    .filter(({ outcome }) => outcome?.event.kind === "done" && outcome.event.saw !== null)
    .sort((a, b) => (a.outcome?.index ?? 0) - (b.outcome?.index ?? 0));
  let [base, sinceIndex] = [session.stands[0]?.values?.count ?? 0, -1];
  const [born] = [base];
  let [most, acknowledged, nextBegun, nextDone] = [0, 0, 0, 0];
  for (const { event, index, values } of session.stands) {
    if (!values) continue;
    if (event.kind === "forgotten") [base, sinceIndex, acknowledged] = [values.count, index, 0];
    for (; (begun[nextBegun]?.begins.index ?? Number.POSITIVE_INFINITY) < index; nextBegun++) most++;
    for (; (done[nextDone]?.outcome?.index ?? Number.POSITIVE_INFINITY) < index; nextDone++)
      // A failover may undo an operation that began before it, even one that was acknowledged after.
      if ((done[nextDone]?.begins.index ?? 0) > sinceIndex) acknowledged++;
    const least = base + acknowledged;
    if (values.count >= least && values.count <= born + most) continue;
    const bounds = `${least} (acknowledged) and ${born + most} (begun and not known to have failed)`;
    return [
      { at: event.at, text: `${session.name} counts ${values.count}, which should be between ${bounds}.` },
    ];
  }
  return [];
}
