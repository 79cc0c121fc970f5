/** The statements on the table of tickets, which is next to the sessions' table. The comment of each lists its parameters. */
import { createHash } from "node:crypto";
import { maxNameBytes, quotedTable, time } from "./terms.ts";

interface TableNames {
  readonly schemaName: string | undefined;
  readonly tableName: string;
}

export class PostgresTicketSql {
  readonly table: string;

  constructor({ schemaName, tableName }: TableNames) {
    this.table = quotedTable(schemaName, nameOf(tableName));
  }

  /** 1 id, 2 value, 3 expiresAt */
  get put(): string {
    return `INSERT INTO ${this.table} (id, value, expires_at) VALUES ($1, $2, ${time(3)})`;
  }

  /** 1 id, 2 now. Of concurrent statements, one gets the row: the others wait for its lock, and find it gone. */
  get take(): string {
    return `DELETE FROM ${this.table} WHERE id = $1 AND expires_at > ${time(2)} RETURNING value`;
  }

  /** 1 now, 2 limit */
  get prune(): string {
    return `
      WITH gone AS (
        DELETE FROM ${this.table} WHERE id = ANY(ARRAY(
          SELECT id FROM ${this.table} WHERE expires_at <= ${time(1)} LIMIT $2 FOR UPDATE SKIP LOCKED))
        RETURNING 1
      )
      SELECT count(*)::text AS count FROM gone`;
  }

  get createTable(): string {
    return `CREATE TABLE ${this.table} (
  "id" text NOT NULL PRIMARY KEY,
  "value" text NOT NULL,
  "expires_at" timestamptz NOT NULL
);
CREATE INDEX ON ${this.table} ("expires_at");`;
  }
}

/** Needs no option: an application has no table of this name. */
function nameOf(tableName: string): string {
  const name = `${tableName}_socket_tickets`;
  if (Buffer.byteLength(name) <= maxNameBytes) return name;
  return `socket_tickets_${createHash("sha256").update(tableName).digest("hex").slice(0, 40)}`;
}
