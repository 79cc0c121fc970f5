/**
 * A checker of list-append histories, as Elle is one (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from
 * Experimental Observations", VLDB 2020): from what operations appended and saw it infers which must be before which, and
 * looks for a cycle. It believes what the operations say; of the database it takes the order of what was written.
 */
import { type Edge, Graph } from "./cycle.ts";
import { historyOf, type OperationHistory } from "./history.ts";
import type { Oracle, Violation } from "./oracle.ts";
import { type Order, ordersOf, placeSeen } from "./serial-orders.ts";
import type { SessionHistory } from "./session-history.ts";

export const serialHistory: Oracle = {
  name: "serial-history",
  promise:
    "Requests see what is stored, and `update` is a transaction: there is one order of all operations of a session.",
  judge(run) {
    const history = historyOf(run);
    const bySession = Map.groupBy(history.operations.values(), ({ session }) => session);
    return [...bySession].flatMap(([name, operations]) => judgeSession(history.session(name), operations));
  },
};

/** A failover undoes what was acknowledged: what was done before it and after it are two histories. */
function judgeSession(session: SessionHistory, operations: readonly OperationHistory[]): Violation[] {
  const breaks = [-1, ...session.setBacks, Number.POSITIVE_INFINITY];
  return breaks.slice(0, -1).flatMap((from, era) => {
    const until = breaks[era + 1] ?? Number.POSITIVE_INFINITY;
    const within = operations.filter(
      ({ begins, outcome }) => begins.index > from && begins.index < until && (outcome?.index ?? 0) < until,
    );
    return judgeEra(session, within, { from, until });
  });
}

function judgeEra(
  session: SessionHistory,
  operations: readonly OperationHistory[],
  era: { readonly from: number; readonly until: number },
): Violation[] {
  const graph = new Graph();
  const orders = ordersOf(session, era);
  const written = [...orders.values()].flatMap(({ ops }) => ops);
  const once = operations.filter((operation) => !isWrittenAgain(operation, written));
  const known = new Map(once.map((operation) => [operation.op, operation]));
  for (const order of orders.values()) addWrites(graph, order, known);
  for (const operation of operations) {
    const odd = addReads(graph, operation, orders, known);
    if (odd) return [{ at: operation.outcome?.event.at ?? 0, text: `${session.name}: ${odd}.` }];
    const followed = known.get(operation.begins.event.follows ?? "");
    if (followed?.outcome?.event.kind === "done")
      graph.add(writeOf(followed), readOf(operation), `${operation.op} came at the head of its answer`);
    if (isSplit(operation)) graph.add(readOf(operation), writeOf(operation), "it reads before it writes");
  }
  addRealTime(graph, operations);
  const cycle = graph.smallestCycle();
  if (!cycle) return [];
  const at = Math.max(...cycle.map(({ to }) => known.get(to.replace(/ .*/, ""))?.begins.event.at ?? 0));
  return [{ at, text: `${session.name} has no order of its operations: ${cycle.map(told).join("; ")}.` }];
}

/**
 * Whether a save without an answer was made again: `express-session` saves at the end of the response what it could not
 * save before. So it is in two places, and says nothing of the order.
 */
function isWrittenAgain({ op, what, outcome }: OperationHistory, written: readonly string[]): boolean {
  const isUnknown = outcome?.event.kind !== "done";
  return what === "save" && isUnknown && written.indexOf(op) !== written.lastIndexOf(op);
}

function told({ from, to, why }: Edge): string {
  return `${from} is before ${to}, as ${why}`;
}

/** A request loads its session at one moment, and saves what it has changed at a later one. */
function isSplit({ what }: OperationHistory): boolean {
  return what === "save";
}

function readOf(operation: OperationHistory): string {
  return isSplit(operation) ? `${operation.op} (loading)` : operation.op;
}

function writeOf(operation: OperationHistory): string {
  return isSplit(operation) ? `${operation.op} (saving)` : operation.op;
}

type Known = ReadonlyMap<string, OperationHistory>;

/**
 * A save that failed may have been made, and express-session makes it again at the end of the response: where its write
 * stands twice, it has no place.
 */
function addWrites(graph: Graph, { key, ops }: Order, known: Known): void {
  const isTwice = (op: string) => ops.indexOf(op) !== ops.lastIndexOf(op);
  let last: OperationHistory | undefined;
  for (const op of ops) {
    const operation = known.get(op);
    const next = operation?.outcome?.event.kind !== "done" && isTwice(op) ? undefined : operation;
    if (last && next) graph.add(writeOf(last), writeOf(next), `${op} wrote ${key} later`);
    last = next ?? last;
  }
}

/** Returns what no order explains: data that were never there. */
function addReads(
  graph: Graph,
  operation: OperationHistory,
  orders: ReadonlyMap<string, Order>,
  known: Known,
): string | undefined {
  const event = operation.outcome?.event;
  if (event?.kind !== "done" || !event.saw || event.what === "end" || event.what === "regenerate")
    return undefined;
  for (const order of orders.values()) {
    const place = placeSeen(order, event.saw, operation.op);
    if (place === undefined) return `${operation.op} saw ${order.key} as it has never been`;
    const last = known.get(order.ops[place] ?? "");
    const next = known.get(order.ops.slice(place + 1).find((op) => known.has(op)) ?? "");
    if (last)
      graph.add(writeOf(last), readOf(operation), `${operation.op} saw in ${order.key} what it wrote`);
    if (next)
      graph.add(readOf(operation), writeOf(next), `it did not see what ${next.op} wrote to ${order.key}`);
  }
  return undefined;
}

/** Operations that ended before another began come before it. Only the latest such are named: the rest follows. */
function addRealTime(graph: Graph, operations: readonly OperationHistory[]): void {
  const moments = operations.flatMap((operation) => {
    const { begins, outcome } = operation;
    const ends = outcome?.event.kind === "done" ? [{ index: outcome.index, operation, isEnd: true }] : [];
    return [{ index: begins.index, operation, isEnd: false }, ...ends];
  });
  moments.sort((a, b) => a.index - b.index);
  const latest = new Set<OperationHistory>();
  const before = new Map<OperationHistory, OperationHistory[]>();
  for (const { operation, isEnd } of moments) {
    if (isEnd) {
      for (const earlier of before.get(operation) ?? []) latest.delete(earlier);
      latest.add(operation);
      continue;
    }
    before.set(operation, [...latest]);
    for (const earlier of latest)
      graph.add(writeOf(earlier), readOf(operation), `it was done before ${operation.op} began`);
  }
}
