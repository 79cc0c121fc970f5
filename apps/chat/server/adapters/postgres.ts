import { createAdapter } from "@socket.io/postgres-adapter";
import type { Pool, PoolClient } from "pg";
import { connectPostgres } from "../connect-postgres.ts";
import type { DatabaseUrl } from "../database-url.ts";
import { noteOf, type OpenAdapter, tellLost, variable } from "./opened.ts";

/**
 * Messages too long for NOTIFY travel through a table. Nodes that start at the same time create it one after another.
 */
const attachments = `
  SELECT pg_advisory_xact_lock(hashtext('socket_io_attachments'));
  CREATE TABLE IF NOT EXISTS socket_io_attachments (
    id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea
  )`;

export async function openPostgres(address: DatabaseUrl): Promise<OpenAdapter> {
  const pool = await connectPostgres(address, variable);
  const close = closerOf(pool);
  await pool.query(attachments);
  const errorHandler = (error: Error) => tellLost(address, error);
  // below the 8,000 bytes that a notification may have
  const adapter = createAdapter(pool, { payloadThreshold: 7_500, errorHandler });
  return { adapter, note: noteOf("postgres"), close };
}

/**
 * The adapter never returns a connection that broke while it listened, and `pool.end()` alone would wait for it for
 * ever. So the open connections are ended one by one.
 */
function closerOf(pool: Pool): () => Promise<void> {
  const clients = new Set<PoolClient>();
  pool.on("acquire", (client) => {
    if (clients.has(client)) return;
    clients.add(client);
    client.once("end", () => clients.delete(client));
  });
  return async () => {
    void pool.end();
    await Promise.all([...clients].map((client) => client.end()));
  };
}
