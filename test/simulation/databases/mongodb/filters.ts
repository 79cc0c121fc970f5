/** The part of MongoDB's query language that `mongodbStore` uses: its filters, and the stage of its change stream. */
import { isDeepStrictEqual } from "node:util";
import type { MongodbDocument } from "../../../../src/stores/mongodb/client.ts";
import { Unsupported } from "../../world/unsupported.ts";

export function matches(document: MongodbDocument, filter: MongodbDocument): boolean {
  return Object.entries(filter).every(([key, condition]) => {
    if (key === "$or") return filtersOf(condition).some((one) => matches(document, one));
    if (key === "$nor") return !filtersOf(condition).some((one) => matches(document, one));
    if (key.startsWith("$")) throw new Unsupported(`the filter ${key}`);
    return fits(valueAt(document, key), condition);
  });
}

/** The value at a path such as `a.b`; undefined if there is none. */
export function valueAt(document: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, name) => (isRecord(inner) ? inner[name] : undefined), document);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

const operators: Readonly<Record<string, (value: unknown, operand: unknown) => boolean>> = {
  $exists: (value, operand) => (value !== undefined) === operand,
  $eq: equals,
  $ne: (value, operand) => !equals(value, operand),
  $in: (value, operand) => Array.isArray(operand) && operand.some((one) => equals(value, one)),
  $gt: (value, operand) => areDates(value, operand) && Number(value) > Number(operand),
  $lt: (value, operand) => areDates(value, operand) && Number(value) < Number(operand),
};

function fits(value: unknown, condition: unknown): boolean {
  if (!isRecord(condition) || !Object.keys(condition).some((key) => key.startsWith("$")))
    return equals(value, condition);
  return Object.entries(condition).every(([name, operand]) => {
    const operator = operators[name];
    if (!operator) throw new Unsupported(`the operator ${name}`);
    return operator(value, operand);
  });
}

/** An array has each of its items as a value. */
function equals(value: unknown, other: unknown): boolean {
  return (
    isDeepStrictEqual(value, other) ||
    (Array.isArray(value) && value.some((item) => isDeepStrictEqual(item, other)))
  );
}

/** Values of other types are not compared to a date. */
function areDates(value: unknown, operand: unknown): boolean {
  if (!(operand instanceof Date)) throw new Unsupported("a comparison to what is not a date");
  return value instanceof Date;
}

function filtersOf(condition: unknown): MongodbDocument[] {
  if (Array.isArray(condition) && condition.every(isRecord)) return condition;
  throw new Unsupported("filters that are no list");
}
