/** PostgreSQL with an asynchronous standby: a failover may lose the latest acknowledged writes, as its page says. */
import { postgresStore } from "../../../src/stores/postgres/store.ts";
import type { DatabaseKind } from "./database.ts";
import { SimulatedPostgresPool } from "./postgres/driver.ts";
import { PostgresServer } from "./postgres/server.ts";

/** In seconds: each process prunes several times in a run. */
const pruneSessionInterval = 60;

export const postgres: DatabaseKind = {
  name: "postgres",
  feed: "complete",
  make(world, ledger) {
    const server = new PostgresServer(world, ledger);
    return {
      server,
      open: ({ clock }, route) =>
        postgresStore({
          pool: new SimulatedPostgresPool(server, route),
          clock,
          createTableIfMissing: true,
          pruneSessionInterval,
        }),
    };
  },
};
