/**
 * Ids and users as text keys of a database, and back. Ordinary ones stay as they are, as other packages write them. Those
 * that no UTF-8 text can hold (lone surrogates), and those that look like an escape or a hash, are escaped.
 *
 * ```ts
 * escaped("abc"); // "abc"
 * escaped("\ud800"); // "~utf16~00d8"
 * hashedIfLonger("u".repeat(1001), 1000); // "~sha256~…", which has no way back
 * ```
 */
import { createHash } from "node:crypto";

const escapeMark = "~utf16~";
const hashMark = "~sha256~";

/** What not every database can keep in a text. */
export const nul = /\0/;

/** Injective, and reversed by `unescaped`. `unfit` matches what else this database can't keep, or has another use for. */
export function escaped(id: string, unfit?: RegExp): string {
  const isMarked = id.startsWith(escapeMark) || id.startsWith(hashMark);
  if (id.isWellFormed() && !isMarked && !unfit?.test(id)) return id;
  return escapeMark + Buffer.from(id, "utf16le").toString("hex");
}

export function unescaped(text: string): string {
  if (!text.startsWith(escapeMark)) return text;
  return Buffer.from(text.slice(escapeMark.length), "hex").toString("utf16le");
}

/** Injective, and fit for every database and its indexes. `maxBytes` is not less than a hash takes, 72. */
export function hashedIfLonger(id: string, maxBytes: number): string {
  const text = escaped(id, nul);
  if (Buffer.byteLength(text) <= maxBytes) return text;
  return hashMark + createHash("sha256").update(id, "utf16le").digest("hex");
}
