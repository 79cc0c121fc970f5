/** Executes the statements on the table of tickets, recognised by their text like those of `statements.ts`. */
import { PostgresTicketSql } from "../../../../src/stores/postgres/ticket-sql.ts";
import type { Statement } from "./statements.ts";

const sql = new PostgresTicketSql({ schemaName: undefined, tableName: "session" });

const put: Statement = (server, [id, value, expiresAt]) => {
  server.tickets(sql.table).set(String(id), { value: String(value), expiresAt: Number(expiresAt) });
  return [];
};

const take: Statement = (server, [id, now]) => {
  const tickets = server.tickets(sql.table);
  const ticket = tickets.get(String(id));
  if (!ticket || ticket.expiresAt <= Number(now)) return [];
  tickets.delete(String(id));
  return [{ value: ticket.value }];
};

const prune: Statement = (server, [now, limit]) => {
  const tickets = server.tickets(sql.table);
  const over = tickets.entries.filter(([, { expiresAt }]) => expiresAt <= Number(now));
  const gone = over.slice(0, Number(limit));
  for (const [id] of gone) tickets.delete(id);
  return [{ count: String(gone.length) }];
};

const create: Statement = (server) => {
  server.createTable(sql.table);
  return [];
};

export const ticketStatements: readonly (readonly [text: string, statement: Statement])[] = [
  [sql.put, put],
  [sql.take, take],
  [sql.prune, prune],
  [sql.createTable, create],
];
