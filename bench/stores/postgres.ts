import connectPgSimple from "connect-pg-simple";
import session from "express-session";
import { Pool } from "pg";
import { loadLibrary } from "../run/library.ts";
import type { StoreKind } from "./store.ts";

const PgStore = connectPgSimple(session);

export const postgres: StoreKind = {
  name: "postgres",
  title: "PostgreSQL",
  service: "postgres",
  address: "postgres",
  async open({ url, place: tableName }) {
    const pool = new Pool({ connectionString: url });
    const created = { pool, tableName, createTableIfMissing: true };
    const store = new PgStore(created);
    return {
      forExpressSession: () => store,
      forLibrary: async (checkout) => (await loadLibrary(checkout, "./postgres")).postgresStore(created),
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
