/** What the page's plots show of the results: the tables have all of it. */
import type { Measured } from "../run/compared.ts";

interface Plotted {
  /** Default: all. */
  readonly variants?: readonly string[];
  /** Default: all. */
  readonly stores?: readonly string[];
}

const plots: Readonly<Record<string, Plotted>> = {
  handshake: { variants: ["websocket", "burst", "polling", "upgrade"], stores: ["redis"] },
  message: {},
  request: {
    variants: ["read-200b", "write-200b", "read-20kb", "write-20kb"],
    stores: ["redis", "postgres"],
  },
  broadcast: {},
  memory: {},
  update: { stores: ["redis", "postgres"] },
  "mass-end": {},
  return: {},
  idle: {},
};

/** Empty if the benchmark has no plot. */
export function plotted(benchmark: string, measured: readonly Measured[]): readonly Measured[] {
  const plot = plots[benchmark];
  if (!plot) return [];
  const { variants, stores } = plot;
  return measured
    .filter(({ variant }) => variants?.includes(variant) ?? true)
    .map((one) => ({
      ...one,
      cases: one.cases.filter(
        ({ subject, store }) => subject === "bare" || (stores?.includes(store) ?? true),
      ),
    }));
}
