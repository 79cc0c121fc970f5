/** Versions of a session's data, compared. */
import type { Values } from "../trace.ts";

/** The same for the same data. Lists grow by unique names alone, so that length and last name stand for all of one. */
export function printOf({ count, lists, registers }: Values): string {
  const parts = [String(count)];
  for (const key of Object.keys(lists).sort())
    parts.push(`${key}:${lists[key]?.length}:${lists[key]?.at(-1)}`);
  for (const key of Object.keys(registers).sort()) parts.push(`${key}=${registers[key]}`);
  return parts.join(" ");
}

/** The later changes that one version has and the other lacks. */
export type Difference =
  | { readonly kind: "none" }
  | { readonly kind: "append" | "save"; readonly key: string; readonly op: string }
  | { readonly kind: "odd"; readonly text: string };

export function differenceOf(before: Values, after: Values): Difference {
  const lists = changedKeys(before.lists, after.lists, isSameList);
  const registers = changedKeys(before.registers, after.registers, Object.is);
  const counted = after.count - before.count;
  const [list, ...otherLists] = lists;
  const [register, ...otherRegisters] = registers;
  if (list === undefined && register === undefined)
    return counted === 0 ? { kind: "none" } : odd(`count went from ${before.count} to ${after.count} alone`);
  if (otherLists.length > 0 || otherRegisters.length > 0 || (list !== undefined && register !== undefined))
    return odd(`${[...lists, ...registers].join(", ")} changed at once`);
  if (register !== undefined) {
    const op = after.registers[register];
    if (counted !== 0) return odd(`${register} changed, and count from ${before.count} to ${after.count}`);
    return op === undefined ? odd(`${register} is gone`) : { kind: "save", key: register, op };
  }
  return appendOf(list ?? "", before, after);
}

function appendOf(key: string, before: Values, after: Values): Difference {
  const [was, is] = [before.lists[key] ?? [], after.lists[key] ?? []];
  const op = is.at(-1);
  if (op === undefined || is.length !== was.length + 1 || !isSameList(was, is.slice(0, -1)))
    return odd(`${key} went from ${shown(was)} to ${shown(is)}`);
  if (was.includes(op)) return odd(`${key} has ${op} twice`);
  if (after.count !== before.count + 1) return odd(`${op} was appended, and count stayed ${after.count}`);
  return { kind: "append", key, op };
}

function odd(text: string): Difference {
  return { kind: "odd", text };
}

/** The end of a list, where lists differ. */
function shown(list: readonly string[]): string {
  return list.length > 4 ? `[… ${list.slice(-4).join(" ")}] (${list.length})` : `[${list.join(" ")}]`;
}

function isSameList(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

function changedKeys<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  isSame: (a: T | undefined, b: T | undefined) => boolean,
): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !isSame(before[key], after[key]));
}
