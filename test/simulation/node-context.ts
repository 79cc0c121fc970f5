/** What a node is made of. */
import type { SessionStore } from "socket-session";
import type { Ledger } from "./ledger.ts";
import type { Operations } from "./operations.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export interface NodeSettings {
  readonly revalidateIntervalMs: number;
  readonly staleMs: number;
  readonly storeTimeoutMs: number;
  readonly touchIntervalMs: number;
  readonly maxAgeMs: number;
}

export interface NodeContext {
  readonly world: World;
  readonly ledger: Ledger;
  readonly operations: Operations;
  readonly process: SimulatedProcess;
  readonly store: SessionStore;
  readonly random: Random;
  readonly settings: NodeSettings;
}
