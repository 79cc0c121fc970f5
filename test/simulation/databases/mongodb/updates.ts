/** The updates that `mongodbStore` sends, and the events that a change stream makes of them. */
import { isDeepStrictEqual } from "node:util";
import type { MongodbDocument } from "../../../../src/stores/mongodb/client.ts";
import { Unsupported } from "../../world/unsupported.ts";
import { isRecord, valueAt } from "./filters.ts";

type Change = (document: MongodbDocument, path: string, operand: unknown) => void;

const operators: Readonly<Record<string, Change>> = {
  $set: setAt,
  $min: (document, path, operand) => bound(document, path, operand, (value) => value > Number(operand)),
  $max: (document, path, operand) => bound(document, path, operand, (value) => value < Number(operand)),
  $addToSet: (document, path, operand) => {
    const list = valueAt(document, path) ?? [];
    if (!Array.isArray(list)) throw new Unsupported(`$addToSet to what is no list, ${path}`);
    if (!list.some((item) => isDeepStrictEqual(item, operand))) setAt(document, path, [...list, operand]);
  },
};

/** A copy of the document as it is after the update. */
export function updated(document: MongodbDocument, update: MongodbDocument): MongodbDocument {
  const copy = structuredClone(document);
  for (const [name, fields] of Object.entries(update)) {
    const operator = operators[name];
    if (!operator || !isRecord(fields)) throw new Unsupported(`the update ${name}`);
    for (const [path, operand] of Object.entries(fields)) operator(copy, path, structuredClone(operand));
  }
  return copy;
}

/** Undefined if nothing has changed: then there is no event. */
export function updateDescription(
  before: MongodbDocument,
  after: MongodbDocument,
): MongodbDocument | undefined {
  const updatedFields: Record<string, unknown> = {};
  const removedFields: string[] = [];
  const compare = (from: MongodbDocument, to: MongodbDocument, prefix: string) => {
    for (const name of Object.keys(from)) if (!(name in to)) removedFields.push(prefix + name);
    for (const [name, value] of Object.entries(to)) {
      const old = from[name];
      if (isRecord(old) && isRecord(value)) compare(old, value, `${prefix}${name}.`);
      else if (!isDeepStrictEqual(old, value)) updatedFields[prefix + name] = value;
    }
  };
  compare(before, after, "");
  const isChanged = Object.keys(updatedFields).length + removedFields.length > 0;
  return isChanged ? { updatedFields, removedFields, truncatedArrays: [] } : undefined;
}

function setAt(document: MongodbDocument, path: string, value: unknown): void {
  const names = path.split(".");
  const last = names.pop() ?? "";
  let inner = document;
  for (const name of names) {
    inner[name] ??= {};
    const next = inner[name];
    if (!isRecord(next)) throw new Unsupported(`a field in what is no object, ${path}`);
    inner = next;
  }
  inner[last] = value;
}

/** Of dates. A field that is not there is set. */
function bound(
  document: MongodbDocument,
  path: string,
  operand: unknown,
  isWorse: (value: number) => boolean,
): void {
  const value = valueAt(document, path);
  if (!(operand instanceof Date)) throw new Unsupported("a bound that is not a date");
  if (value === undefined || (value instanceof Date && isWorse(value.getTime())))
    setAt(document, path, operand);
}
