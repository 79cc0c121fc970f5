import { type History, historyOf, type OperationHistory, type Placed } from "./history.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";
import { unnoticedFor } from "./unnoticed.ts";

type Served = Placed<"served">;

/** A handler sees what the database holds: at once on the node that wrote it, soon on the others. */
export const freshData: Oracle = {
  name: "fresh-data",
  promise:
    "What a request writes, handlers read next, and the reverse: at once on the same node, on others as soon as the store's change feed tells.",
  judge(run) {
    const history = historyOf(run);
    const written = new Map<string, OperationHistory>();
    const violations: Violation[] = [];
    for (const [index, event] of run.events.entries()) {
      if (event.kind === "done" && (event.what === "append" || event.what === "save"))
        noteWrite(history, written, event.op);
      if (event.kind !== "served") continue;
      const served = { event, index };
      const text = faultOf(run, history, served, written.get(`${event.node} ${event.session}`));
      if (text !== undefined)
        violations.push({
          at: event.at,
          text: `${event.node} showed ${event.socket} of ${event.session} ${text}.`,
        });
    }
    return violations;
  },
};

/** Keeps the acknowledged write of a node that the database has done last. */
function noteWrite(
  { operations, sessions }: History,
  written: Map<string, OperationHistory>,
  op: string,
): void {
  const operation = operations.get(op);
  if (!operation) return;
  const { storedBy } = sessions.get(operation.session) ?? {};
  const key = `${operation.node} ${operation.session}`;
  const last = written.get(key);
  const placeOf = (one: OperationHistory | undefined) => (one && storedBy?.get(one.op)) ?? -1;
  if (placeOf(operation) > placeOf(last)) written.set(key, operation);
}

function faultOf(
  run: RunFacts,
  history: History,
  { event, index }: Served,
  write: OperationHistory | undefined,
): string | undefined {
  const { at, node, session, values } = event;
  const known = history.session(session);
  const version = known.versionShown(values, index);
  if (!version) return "data that the database has never held";
  const ageMs = Math.max(0, at - version.until);
  if (version.next >= index || ageMs === 0) return undefined;
  const writtenAt = (write && known.storedBy.get(write.op)) ?? -1;
  if (write && version.next <= writtenAt && isBound(history, write, node, at))
    return `data from before ${write.op}, which the same node had acknowledged`;
  const { limitMs, why } = unnoticedFor(run, history, node, version.until, at);
  if (ageMs <= limitMs) return undefined;
  return `data that were out of date for ${Math.round(ageMs)} ms; ${why}: at most ${Math.round(limitMs)} ms`;
}

/**
 * Whether the node must show its own write at once. A trouble excuses it: if the entry can't order two versions, it reads
 * the session before the write resolves, and that read may fail (`OwnWrites.settle`).
 */
function isBound({ troubles }: History, { begins }: OperationHistory, node: string, at: number): boolean {
  return troubles.isQuiet("store", node, begins.event.at, at);
}
