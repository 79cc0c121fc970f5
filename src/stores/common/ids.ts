/**
 * Ids and users as text keys of a database, and back. Ordinary ones stay as they are, as other packages write them; what
 * a text column can't keep apart (NUL, lone surrogates) is escaped, and what is too long to be indexed is hashed.
 *
 * ```ts
 * storedId("abc"); // "abc"
 * storedId("\ud800"); // "~utf16~00d8"
 * storedId("u".repeat(1001)); // "~sha256~…", which has no way back
 * ```
 */
import { createHash } from "node:crypto";

export const escapeMark = "~utf16~";
const hashMark = "~sha256~";

/** Injective, and reversed by `originalId`, whatever the length. */
export function escapedId(id: string): string {
  const isPlain =
    id.isWellFormed() && !id.includes("\0") && !id.startsWith(escapeMark) && !id.startsWith(hashMark);
  return isPlain ? id : escapeMark + Buffer.from(id, "utf16le").toString("hex");
}

/** Injective: no two strings have the same stored form. `longestBytes` is not less than a hash takes, 72. */
export function storedId(id: string, longestBytes = 1_000): string {
  const text = escapedId(id);
  if (Buffer.byteLength(text) <= longestBytes) return text;
  return hashMark + createHash("sha256").update(id, "utf16le").digest("hex");
}

/** The id of a stored form; of one that is too long to be kept, the stored form itself. */
export function originalId(stored: string): string {
  if (!stored.startsWith(escapeMark)) return stored;
  return Buffer.from(stored.slice(escapeMark.length), "hex").toString("utf16le");
}
