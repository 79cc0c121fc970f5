/**
 * Converts ids and users to text keys of a database, and back. Ordinary ones stay as they are, as other packages write
 * them. Those that no UTF-8 text can hold (lone surrogates), or that look like an escape or a hash, are escaped.
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

/** Not every database can keep NUL in a text. */
export const nul = /\0/;

/** Injective, and reversed by `unescaped`. `unfit` matches other ids that the database can't keep or uses otherwise. */
export function escaped(id: string, unfit?: RegExp): string {
  const isMarked = id.startsWith(escapeMark) || id.startsWith(hashMark);
  if (id.isWellFormed() && !isMarked && !unfit?.test(id)) return id;
  return escapeMark + Buffer.from(id, "utf16le").toString("hex");
}

export function unescaped(text: string): string {
  if (!text.startsWith(escapeMark)) return text;
  return Buffer.from(text.slice(escapeMark.length), "hex").toString("utf16le");
}

/** Injective, and fit for every database and its indexes. `maxBytes` is at least 72, the size of a hash. */
export function hashedIfLonger(id: string, maxBytes: number): string {
  const text = escaped(id, nul);
  if (Buffer.byteLength(text) <= maxBytes) return text;
  return hashMark + createHash("sha256").update(id, "utf16le").digest("hex");
}
