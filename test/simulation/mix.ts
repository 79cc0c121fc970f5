/**
 * The mix of a seed: how many nodes, which database, which faults. Half of the faults are absent from each mix: a run
 * with all of them at once never gets to what happens between two.
 */

import type { SessionsPerUser } from "../../src/session/user-cap.ts";
import type { Settings } from "./settings.ts";
import { Random } from "./world/random.ts";

export const layers = ["core", "requests", "sockets"] as const;
export type Layer = (typeof layers)[number];

export const faultNames = [
  ...(["pause", "kill", "clock", "cut", "reset", "deaf"] as const), // of a node
  ...(["slow", "failing", "hanging", "restart", "failover"] as const), // of the database
  "lost reply",
] as const;
export type FaultName = (typeof faultNames)[number];

export interface Mix {
  readonly seed: number;
  readonly layer: Layer;
  readonly database: string;
  readonly nodes: number;
  readonly visitors: number;
  /** Of simulated time, before the calm at the end. */
  readonly minutes: number;
  /** How often each fault happens, in a minute; of `lost reply`, how likely it is. What is absent never happens. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  /** How far the nodes' clocks are apart, and how much they drift. */
  readonly skewMs: number;
  readonly drift: number;
  /** How long a visitor waits between two actions, at most. */
  readonly paceMs: number;
  readonly settings: Settings;
  /** In the layer `core` there is a user with this cap, where the database has an index of users. */
  readonly cap?: SessionsPerUser | undefined;
}

const settings: Settings = {
  revalidateIntervalMs: 30_000,
  staleMs: 60_000,
  storeTimeoutMs: 10_000,
  touchIntervalMs: 20_000,
  updateTimeoutMs: 10_000,
  maxAgeMs: 240_000,
};

/** Of all visitors, in a run: one of Socket.IO takes longer. */
const mostActions: Readonly<Record<Layer, number>> = { core: 4_000, requests: 1_500, sockets: 1_000 };

/** `databases`: the names of those there are. */
export function mixOf(seed: number, databases: readonly string[]): Mix {
  const random = new Random(seed).fork("mix");
  const x = random.next();
  const layer = x < 0.6 ? "core" : x < 0.8 ? "requests" : "sockets";
  const faults: Partial<Record<FaultName, number>> = {};
  for (const name of faultNames) {
    const often = random.next();
    if (random.chance(0.5)) faults[name] = name === "lost reply" ? often * 0.04 : often * 1.5;
  }
  const [visitors, minutes] = [random.int(1, 8), random.pick([1, 2, 4])];
  const fastestMs = (2 * visitors * minutes * 60_000) / mostActions[layer];
  return {
    seed,
    layer,
    database: random.pick(databases),
    nodes: random.int(1, 4),
    visitors,
    minutes,
    faults,
    skewMs: random.chance(0.5) ? random.pick([50, 500, 2_000]) : 0,
    drift: random.chance(0.3) ? 0.001 : 0,
    paceMs: Math.round(Math.max(random.pick([100, 1_000, 5_000]), fastestMs)),
    settings,
    cap: capOf(seed),
  };
}

/** Of a stream of its own, so that seeds without a cap stay as they are. */
function capOf(seed: number): Mix["cap"] {
  const random = new Random(seed).fork("cap");
  if (!random.chance(0.2)) return undefined;
  return { max: random.int(1, 3), whenFull: random.pick(["refuse", "endOldest"]) };
}
