/** The interface of a scenario: something that applications do, and how its cost is measured. There is one file for each. */
import type { Sample } from "../run/sample.ts";
import type { Times } from "../subjects/subject.ts";

export interface Scenario {
  /** As `npm run bench -- <name>` takes it. */
  readonly name: string;
  readonly title: string;
  /** What is measured, in sentences. */
  readonly about: string;
  /** In the order of the tables; the first is the one that subjects are compared by. */
  readonly metrics: readonly Metric[];
  readonly variants: readonly Variant[];
  /** Default: three. */
  readonly rounds?: number;
}

export interface Metric {
  readonly name: string;
  readonly title: string;
  readonly digits: number;
}

export interface Variant {
  /** As `npm run bench -- --variant <name>` takes it. */
  readonly name: string;
  readonly title: string;
  /** In the order of the table. */
  readonly cases: readonly Case[];
  /** The subjects that the others are compared with: over the same store, or else over their only one. */
  readonly bars: readonly string[];
  /** Whether by the ratio to the bar, or by the difference. */
  readonly compare: "ratio" | "difference";
  /** How many secrets there are. Default: one. */
  readonly secrets?: number;
  /** Of the library. Default: its own. */
  readonly times?: Times;
  /** Whether operations of the store are counted, at some cost. Default: no. */
  readonly isCounted?: boolean;
  /** Whether the store is reached through a proxy, which can be cut. Default: no. */
  readonly isProxied?: boolean;
  /** Asserts that the subject does it right, then measures. Values by the names of the metrics. */
  measure(sample: Sample): Promise<Measurement>;
}

/** A subject over a store, by their names. */
export interface Case {
  readonly subject: string;
  readonly store: string;
}

export type Measurement = Readonly<Record<string, number>>;

export const over = (subject: string, ...stores: readonly string[]): readonly Case[] =>
  stores.map((store) => ({ subject, store }));

/** For what a connected socket costs: the ways to give it a session, beside none. */
export const connected: readonly Case[] = [
  ...over("bare", "memory"),
  ...over("recipe", "redis"),
  ...over("express-socket.io-session", "redis"),
  ...over("store-get", "redis"),
  ...over("socket-session", "memory", "redis"),
];
