/**
 * Ids and users as text keys of a database, and back. Ordinary ones stay as they are, as other packages write them; what
 * a text column can't keep apart (NUL, lone surrogates), or can't index (more than a kilobyte), is escaped.
 *
 * ```ts
 * storedId("abc"); // "abc"
 * storedId("\ud800"); // "~utf16~00d8"
 * ```
 */
import { createHash } from "node:crypto";

const escapeMark = "~utf16~";
const hashMark = "~sha256~";
const longestBytes = 1_000;

/** Injective: no two strings have the same stored form. */
export function storedId(id: string): string {
  const isPlain =
    id.isWellFormed() && !id.includes("\0") && !id.startsWith(escapeMark) && !id.startsWith(hashMark);
  const text = isPlain ? id : escapeMark + Buffer.from(id, "utf16le").toString("hex");
  if (Buffer.byteLength(text) <= longestBytes) return text;
  return hashMark + createHash("sha256").update(id, "utf16le").digest("hex");
}

/** The id of a stored form; of one that is too long to be kept, the stored form itself. */
export function originalId(stored: string): string {
  if (!stored.startsWith(escapeMark)) return stored;
  return Buffer.from(stored.slice(escapeMark.length), "hex").toString("utf16le");
}
