/**
 * The store of SQLite, on a real file that the processes of one machine share. Each operation is one step without waiting,
 * as `node:sqlite` is synchronous; what is simulated is what comes between operations. There is no network: what goes wrong with
 * routes has no effect.
 */
import type { SessionStore } from "../../../src/session-store.ts";
import { sqliteStore } from "../../../src/stores/sqlite/store.ts";
import type { Ledger } from "../ledger.ts";
import type { SimulatedProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import type { Database, DatabaseKind } from "./database.ts";
import { SessionFile } from "./sqlite/file.ts";
import { SqliteHost } from "./sqlite/host.ts";

/** Less often than by default: each time is an event of the world. */
const pollIntervalMs = 100;

export const sqliteKind: DatabaseKind = {
  name: "sqlite",
  feed: "complete",
  make: (world, ledger) => new SqliteDatabase(world, ledger),
};

class SqliteDatabase implements Database {
  readonly server: SqliteHost;
  readonly #ledger: Ledger;
  readonly #files = new Set<SessionFile>();

  constructor(world: World, ledger: Ledger) {
    this.server = new SqliteHost(world);
    this.#ledger = ledger;
  }

  open(process: SimulatedProcess): SessionStore {
    const { path, refuse, world } = this.server;
    const ledger = this.#ledger;
    const opened: SessionFile[] = [];
    class File extends SessionFile {
      constructor(at: string) {
        super(at, process, ledger, refuse);
        opened.push(this);
      }
    }
    // It looks for changes all the time, which is not counted among the timers of the process.
    const clock = { ...process.clock, after: (ms: number, run: () => void) => world.after(ms, run, process) };
    const store = withDatabase(File, () => sqliteStore({ path, clock, pollIntervalMs }));
    for (const file of opened) {
      file.watch();
      this.#files.add(file);
      process.onKill(() => file.close());
    }
    return store;
  }

  close(): void {
    for (const file of this.#files) file.close();
    this.server.close();
  }
}

/** Runs `run` with another class in the place of the one that `node:sqlite` has. */
function withDatabase<T>(DatabaseSync: new (path: string) => SessionFile, run: () => T): T {
  const { getBuiltinModule } = process;
  Object.assign(process, {
    getBuiltinModule: (id: string) => (id === "node:sqlite" ? { DatabaseSync } : getBuiltinModule(id)),
  });
  try {
    return run();
  } finally {
    Object.assign(process, { getBuiltinModule });
  }
}
