import type { SessionStore } from "../../../src/session-store.ts";
import type { Ledger } from "../ledger.ts";
import type { FeedKind } from "../oracles/oracle.ts";
import type { DatabaseServer } from "../world/database-server.ts";
import type { SimulatedProcess } from "../world/process.ts";
import type { Route } from "../world/route.ts";
import type { World } from "../world/world.ts";

/** A kind of database, with the product's store for it. */
export interface DatabaseKind {
  readonly name: string;
  /** What its change feed reports. */
  readonly feed: FeedKind;
  /** A new one, empty. What it does to sessions it writes into the ledger, at the moment at which it does it. */
  make(world: World, ledger: Ledger): Database;
}

export interface Database {
  readonly server: DatabaseServer;
  /** The store of one process, which reaches the server over `route`. */
  open(process: SimulatedProcess, route: Route): SessionStore;
  /** Gives back what the run took. */
  close?(): void;
}
