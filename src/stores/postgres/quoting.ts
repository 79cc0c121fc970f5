/**
 * Names and texts inside a statement, where no parameter can stand; as `escapeIdentifier` and `escapeLiteral` of `pg`.
 *
 * ```ts
 * quotedIdentifier('a"b'); // "a""b"
 * quotedLiteral("it's"); // 'it''s'
 * ```
 */

/** Longer names are cut off by the database. */
export const longestNameBytes = 63;

export function quotedIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Safe whatever `standard_conforming_strings` says. */
export function quotedLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? ` E${quoted}` : quoted;
}
