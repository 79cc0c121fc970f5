/** Small traces written by hand, for the tests of the oracles. */
import type { Page } from "../clients/pages.ts";
import type { EventOf, Fault, Operation, TraceEvent, Values } from "../trace.ts";
import type { Oracle, RunSettings } from "./oracle.ts";

const settings: RunSettings = {
  revalidateIntervalMs: 30_000,
  staleMs: 60_000,
  storeTimeoutMs: 10_000,
  touchIntervalMs: 60_000,
  maxAgeMs: 3_600_000,
  feed: "complete",
  maxSkewMs: 0,
};

/** The oracle's violations for a run of these events, one on each line. */
export function judged(
  oracle: Oracle,
  events: readonly TraceEvent[],
  changed: Partial<RunSettings> = {},
): string[] {
  return oracle
    .judge({ events, settings: { ...settings, ...changed } })
    .map(({ at, text }) => `${at}: ${text}`);
}

/** Data with the operations that have appended to `list-0`, and that have set `register-0` last. */
export function values(appended: readonly string[] = [], saved?: string): Values {
  return {
    count: appended.length,
    lists: appended.length > 0 ? { "list-0": appended } : {},
    registers: saved === undefined ? {} : { "register-0": saved },
  };
}

/** Of session `s0`, unless it says otherwise. */
export const the = {
  stored: (at: number, data: Values = values(), expiresAt = at + settings.maxAgeMs): TraceEvent => ({
    at,
    kind: "stored",
    session: "s0",
    values: data,
    expiresAt,
  }),
  touched: (at: number, node: string, expiresAt = at + settings.maxAgeMs): TraceEvent => ({
    at,
    kind: "touched",
    session: "s0",
    node,
    expiresAt,
  }),
  removed: (at: number): TraceEvent => ({ at, kind: "removed", session: "s0" }),
  forgotten: (at: number, data: Values | null, expiresAt = at + settings.maxAgeMs): TraceEvent => ({
    at,
    kind: "forgotten",
    session: "s0",
    values: data,
    expiresAt,
  }),
  start: (at: number, node: string): TraceEvent => ({ at, kind: "start", node, skewMs: 0 }),
  fault: (at: number, fault: Fault, until: number, node?: string): TraceEvent => ({
    at,
    kind: "fault",
    fault,
    until,
    ...(node === undefined ? {} : { node }),
  }),
  calm: (at: number): TraceEvent => ({ at, kind: "calm" }),
  /** The run goes on until then. */
  end: (at: number, node = "n0", live = 0, timers = 0): TraceEvent => ({
    at,
    kind: "cost",
    node,
    timers,
    live,
    sinceMs: 0,
  }),
  client: (at: number, state: "outside" | "inside" | "gone"): TraceEvent => ({
    at,
    kind: "client",
    client: "c0",
    session: "s0",
    state,
  }),
  asks: (at: number, node: string, socket = "k0", session = "s0"): TraceEvent => ({
    at,
    kind: "asks",
    socket,
    node,
    session,
  }),
  admitted: (at: number, node: string, socket = "k0", session = "s0"): TraceEvent => ({
    at,
    kind: "admitted",
    socket,
    node,
    session,
  }),
  refused: (
    at: number,
    node: string,
    final: boolean,
    socket = "k0",
    code = final ? "SESSION_ENDED" : "STORE_UNAVAILABLE",
  ): TraceEvent => ({ at, kind: "refused", socket, node, session: "s0", code, final }),
  /** A ticket, for half a minute. */
  issued: (at: number, page: Page = "own"): TraceEvent => ({
    at,
    kind: "issued",
    ticket: "t0",
    node: "n0",
    session: "s0",
    page,
    expiresAt: at + 30_000,
  }),
  shown: (
    at: number,
    node: string,
    socket = "k0",
    { connection = socket, page = "own", cookie = "none" }: Partial<EventOf<"shown">> = {},
  ): TraceEvent => ({
    at,
    kind: "shown",
    ticket: "t0",
    socket,
    connection,
    node,
    session: "s0",
    page,
    cookie,
  }),
  served: (at: number, node: string, data: Values = values()): TraceEvent => ({
    at,
    kind: "served",
    socket: "k0",
    node,
    session: "s0",
    values: data,
    by: "client",
  }),
  closed: (at: number, node: string, reason: string, socket = "k0"): TraceEvent => ({
    at,
    kind: "closed",
    socket,
    node,
    session: "s0",
    reason,
  }),
};

/** An operation on `s0`: its events. */
export function operation(op: string, what: Operation, node = "n0") {
  const key = { append: "list-0", save: "register-0" }[what as string];
  const about = { op, what, node, session: "s0", ...(key === undefined ? {} : { key }) };
  return {
    begins: (at: number): TraceEvent => ({ at, kind: "begins", ...about }),
    done: (at: number, saw: Values | null = values()): TraceEvent => ({ at, kind: "done", ...about, saw }),
    failed: (
      at: number,
      isUnknown: boolean,
      code = isUnknown ? "STORE_TIMEOUT" : "SESSION_ENDED",
    ): TraceEvent => ({ at, kind: "failed", ...about, code, isUnknown }),
  };
}
