declare module "connect-pg-simple" {
  import type session from "express-session";
  import type { Pool } from "pg";

  interface Options {
    pool: Pool;
    schemaName?: string;
    tableName?: string;
    createTableIfMissing?: boolean;
    ttl?: number;
    pruneSessionInterval?: number | false;
  }
  class PGStore extends session.Store {
    constructor(options: Options);
    pruneSessions(callback: (error?: unknown) => void): void;
    close(): Promise<void>;
  }
  export default function connectPgSimple(of: typeof session): typeof PGStore;
}
