/** Names and times in the statements of `postgresStore`. */

/** The database cuts off longer names. */
export const maxNameBytes = 63;

/** A table of the schema; without one, the table that the connection's search path finds. */
export function quotedTable(schemaName: string | undefined, name: string): string {
  const table = quotedIdentifier(name);
  return schemaName === undefined ? table : `${quotedIdentifier(schemaName)}.${table}`;
}

/** As `escapeIdentifier` of `pg`: `a"b` becomes `"a""b"`. For names in a statement, which can't be parameters. */
export function quotedIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As `escapeLiteral` of `pg`: `it's` becomes `'it''s'`. Safe with any setting of `standard_conforming_strings`. */
export function quotedLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? ` E${quoted}` : quoted;
}

/** Converts a parameter in milliseconds since the epoch. The store's clock decides, so statements don't use `now()`. */
export function time(parameter: number): string {
  return `to_timestamp($${parameter}::float8 / 1000)`;
}
