import type { SessionsPerUser } from "../../src/session/user-cap.ts";
import type { SessionStore } from "../../src/session-store.ts";
import type { Ledger } from "./ledger.ts";
import type { SimulatedNode } from "./node.ts";
import type { Operations } from "./operations.ts";
import type { Settings } from "./settings.ts";
import type { SimulatedProcess } from "./world/process.ts";
import type { Random } from "./world/random.ts";
import type { World } from "./world/world.ts";

/** The parts that a node is made of. */
export interface NodeContext {
  readonly world: World;
  readonly ledger: Ledger;
  readonly operations: Operations;
  readonly process: SimulatedProcess;
  readonly store: SessionStore;
  readonly random: Random;
  readonly settings: Settings;
  readonly cap?: SessionsPerUser | undefined;
}

export type NodeFactory = (context: NodeContext) => SimulatedNode;
