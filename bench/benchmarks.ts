import { endToClose } from "./end-to-close/end-to-close.ts";
import { receipt } from "./receipt/receipt.ts";
import { roundTrips } from "./round-trips/round-trips.ts";
import type { Benchmark } from "./run/benchmark.ts";
import { sampled } from "./run/sampled.ts";
import { scenarios } from "./scenarios/all.ts";

/** In the order in which they run, and in which the page of costs has them. */
export const benchmarks: readonly Benchmark[] = [...scenarios.map(sampled), roundTrips, endToClose, receipt];
