/**
 * A simulated database for tests that wait by real promises, such as the suite that real databases pass: its world runs on
 * by itself, a millisecond at a time, while the clock of the stores stands still until it is set.
 */
import type { Clock } from "../../../src/clock.ts";
import type { SessionStore } from "../../../src/core/session-store.ts";
import type { StoreHarness } from "../../stores/conformance.ts";
import { Ledger } from "../ledger.ts";
import { epochMs, SimulatedProcess } from "../process.ts";
import { World } from "../world.ts";
import type { Database, DatabaseKind } from "./database.ts";

/** The world runs on while a test looks at something: what stores do in a second is not to come before the test is there. */
const slowness = 50;

export function simulatedHarness(
  kind: DatabaseKind,
  damage: (database: Database, sid: string, text: string) => void,
): StoreHarness {
  const world = new World("pumped");
  const database = kind.make(world, new Ledger(world.trace));
  const stores: SessionStore[] = [];
  let now = epochMs;
  let isOver = false;
  class StillProcess extends SimulatedProcess {
    override readonly clock: Clock = {
      now: () => now,
      after: (ms, run) => world.after(slowness * ms, run, this),
      random: () => 0.5,
    };
  }
  const pump = async () => {
    while (!isOver) {
      await world.run(world.now + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const pumping = pump();
  return {
    open() {
      const process = new StillProcess(world, `n${stores.length}`);
      const store = database.open(
        process,
        database.server.route(process, { latencyMs: [0, 2], lostReplies: 0 }),
      );
      stores.push(store);
      return store;
    },
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    damage: (sid, text) => damage(database, sid, text),
    async end() {
      await Promise.all(stores.map((store) => store.close()));
      isOver = true;
      await pumping;
    },
  };
}
