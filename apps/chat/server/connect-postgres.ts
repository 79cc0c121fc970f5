import { Pool } from "pg";
import type { DatabaseUrl } from "./database-url.ts";
import { complainer, connectTimeoutMs, reach } from "./reach.ts";

/** A pool, ended by its owner. */
export async function connectPostgres(address: DatabaseUrl, variable: string): Promise<Pool> {
  return reach(address, variable, async () => {
    const pool = new Pool({ connectionString: address.url, connectionTimeoutMillis: connectTimeoutMs });
    const complain = complainer(address);
    pool.on("error", complain);
    // Only the connection itself reports its end while it is checked out, as listening connections are.
    pool.on("connect", (client) => client.on("error", complain));
    try {
      await pool.query("SELECT 1");
    } catch (error) {
      await pool.end();
      throw error;
    }
    return pool;
  });
}
