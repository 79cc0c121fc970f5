/** The order in which the database took the writes of operations to each list and register of a session. */
import type { Values } from "../trace.ts";
import type { SessionHistory } from "./session-history.ts";

export interface Order {
  readonly key: string;
  readonly kind: "list" | "register";
  /** In the order in which they wrote. */
  readonly ops: readonly string[];
}

/** Of what was stored between two failovers; a list begins with what it held at the first of them. */
export function ordersOf(
  { stands }: SessionHistory,
  { from, until }: { readonly from: number; readonly until: number },
): Map<string, Order> {
  const orders = new Map<string, Order & { ops: string[] }>();
  const orderOf = (key: string, kind: Order["kind"]) => {
    const order = orders.get(key) ?? { key, kind, ops: [] };
    orders.set(key, order);
    return order;
  };
  for (const { index, values, event } of stands) {
    if (!values || index < from || index >= until || event.kind === "touched") continue;
    for (const [key, names] of Object.entries(values.lists)) {
      const { ops } = orderOf(key, "list");
      if (names.length > ops.length) ops.push(...names.slice(ops.length));
    }
    for (const [key, name] of Object.entries(values.registers)) {
      const { ops } = orderOf(key, "register");
      if (ops.at(-1) !== name) ops.push(name);
    }
  }
  return orders;
}

/** The place in the order of the last write that is in view, -1 if none is; undefined if it was never so. */
export function placeSeen({ key, kind, ops }: Order, saw: Values, by: string): number | undefined {
  if (kind === "register") {
    const name = saw.registers[key];
    // An operation's own write is not part of the data it was given.
    if (name === by) return undefined;
    const place = name === undefined ? -1 : ops.lastIndexOf(name);
    return name !== undefined && place < 0 ? undefined : place;
  }
  const names = (saw.lists[key] ?? []).filter((name) => name !== by);
  return names.every((name, place) => ops[place] === name) ? names.length - 1 : undefined;
}
