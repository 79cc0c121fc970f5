import connectPgSimple from "connect-pg-simple";
import session from "express-session";
import { Pool } from "pg";
import { loadLibrary } from "../run/library.ts";
import type { StoreKind } from "./store.ts";

const PgStore = connectPgSimple(session);

/** As the package's `table.sql`, whose index has a name that only one table of a database can have. */
async function createTable(pool: Pool, name: string): Promise<void> {
  const columns = "sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL";
  await pool.query(`CREATE TABLE IF NOT EXISTS ${name} (${columns}); CREATE INDEX ON ${name} (expire)`);
}

export const postgres: StoreKind = {
  name: "postgres",
  title: "PostgreSQL",
  service: "postgres",
  address: "postgres",
  async open({ url, place: tableName }) {
    const pool = new Pool({ connectionString: url });
    pool.on("error", () => {}); // of an idle connection, which is replaced
    const store = new PgStore({ pool, tableName });
    return {
      async forExpressSession() {
        await createTable(pool, tableName);
        return store;
      },
      async forLibrary(checkout) {
        const { postgresStore } = await loadLibrary(checkout, "./postgres");
        return postgresStore({ pool, tableName, createTableIfMissing: true });
      },
      async read(id) {
        const { rows } = await pool.query(`SELECT sess FROM ${tableName} WHERE sid = $1`, [id]);
        return rows[0] ?? null;
      },
      async close() {
        await store.close();
        await pool.end();
      },
    };
  },
};
