/**
 * The time from `sessions.end(…, { receipt: true })` to the receipt of four nodes, of which one has closed a socket; and the
 * time of a bare round trip on the same database: an equally durable delete and publish, and the reply of another process.
 * Both take turns, some hundreds of each.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { bareFeedOf } from "../end-to-close/bare-feeds.ts";
import { type Compared, programsOf, stores } from "../end-to-close/compared-stores.ts";
import type { Place } from "../end-to-close/places.ts";
import type { Benchmark, Report } from "../run/benchmark.ts";
import { LightSocket } from "../run/light-socket.ts";
import { closePlace, isHere, openPlaceOf } from "../run/places.ts";
import { startWorker, type Worker } from "../run/worker.ts";
import type { NodeAnswers, NodeSetting } from "./receipt-process.ts";

type Node = Worker<NodeAnswers>;

const nodeCount = 4;
const endsPerRound = 500;
const usualRounds = 20;

export interface Measurement {
  readonly receiptMs: readonly number[];
  readonly bareMs: readonly number[];
}

export const receipt: Benchmark = {
  name: "receipt",
  async run({ stores: names, rounds = usualRounds }) {
    const wanted = stores.filter(({ kind }) => names === undefined || names.includes(kind.name));
    const here = wanted.filter(({ kind }) => isHere(kind));
    const measured: { store: Compared; measurement: Measurement }[] = [];
    for (const store of here)
      measured.push({ store, measurement: await measure(store, rounds, endsPerRound) });
    return reportOf(measured, rounds * endsPerRound, [
      ...(await programsOf(here)),
      ...wanted
        .filter((store) => !here.includes(store))
        .map(({ kind }) => `${kind.title}: not measured, its server is missing.`),
    ]);
  },
};

export async function measure(store: Compared, rounds: number, ends: number): Promise<Measurement> {
  const { kind, client, isReplicaSet } = store;
  const address = openPlaceOf(kind);
  const place: Place = { address, client, ...(isReplicaSet ? { isReplicaSet } : {}) };
  const nodes = Array.from({ length: nodeCount }, (_, index) => startNode({ place, number: index + 1 }));
  try {
    await Promise.all(nodes.map(ready));
    const receiptMs: number[] = [];
    const bareMs: number[] = [];
    await round(nodes, Math.ceil(ends / 10)); // warms up
    for (let number = 0; number < rounds; number++) {
      const took = await round(nodes, ends);
      receiptMs.push(...took.receiptMs);
      bareMs.push(...took.bareMs);
    }
    return { receiptMs, bareMs };
  } finally {
    await Promise.all(nodes.map((node) => node.end()));
    await closePlace(address);
  }
}

function startNode(setting: NodeSetting): Node {
  return startWorker<NodeAnswers>(new URL("receipt-process.ts", import.meta.url), setting);
}

async function ready(node: Node): Promise<void> {
  for (let attempt = 0; !(await node.ask("isReady")); attempt++) {
    if (attempt > 500) throw new Error("Expected the feed of a node to become whole.");
    await wait(20);
  }
}

async function round([first, ...others]: readonly Node[], ends: number): Promise<Measurement> {
  if (!first) throw new Error("Expected a first node.");
  const urls = await Promise.all(others.map((node) => node.ask("url")));
  const cookies = await first.ask("logIn", ends);
  const sockets = await Promise.all(
    cookies.map((cookie, index) => LightSocket.open(urls[index % urls.length] ?? "", cookie)),
  );
  const receiptMs = await first.ask("endWithReceipts", cookies.map(sidOf));
  await Promise.all(sockets.map(({ closed }) => closed));
  const bareMs = await first.ask(
    "bareRoundTrips",
    Array.from({ length: ends }, () => randomUUID()),
  );
  return { receiptMs, bareMs };
}

/** Of the signed cookie. */
function sidOf(cookie: string): string {
  const found = /=s(?:%3A|:)([^.]+)\./.exec(cookie)?.[1];
  if (found === undefined) throw new Error("Expected a signed cookie.");
  return decodeURIComponent(found);
}

/** The value below which this part of them is. */
function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  if (value === undefined) throw new Error("Expected something to have been measured.");
  return value;
}

function reportOf(
  measured: readonly { store: Compared; measurement: Measurement }[],
  ends: number,
  notes: readonly string[],
): Report {
  const rows = measured.map(({ store, measurement: { receiptMs, bareMs } }) => {
    const parts = [0.5, 0.99].map((part) => [quantile(receiptMs, part), quantile(bareMs, part)] as const);
    const times = parts.map(([ours, bare]) => `${ours.toFixed(1)} (${bare.toFixed(1)})`);
    const ratios = parts.map(([ours, bare]) => (ours / bare).toFixed(1));
    return [store.kind.title, bareFeedOf(store).title, ...times, ...ratios];
  });
  const head = ["", "compared with", "median ms (bare)", "p99 ms (bare)", "ratio of medians", "ratio of p99"];
  return {
    about:
      "The time from `sessions.end(…, { receipt: true })` to a receipt of four nodes, one of which has closed the session's socket; in " +
      "parentheses, that of a bare round trip on the same database: a record is removed, as durably, its id published, and the reply " +
      "of another process received.",
    metrics: [],
    measured: [],
    title: "From end() to the receipt of four nodes, in times of a bare round trip",
    tables: [{ title: "", rows: [head, ...rows] }],
    notes: [`${ends} of each, one after another.`, ...notes],
    raw: measured.map(({ store, measurement }) => ({
      store: store.kind.title,
      receiptMs: rounded(measurement.receiptMs),
      bareMs: rounded(measurement.bareMs),
    })),
  };
}

/** By hundreds: all values would fill megabytes. */
function rounded(values: readonly number[]): number[] {
  return Array.from({ length: 101 }, (_, part) => Number(quantile(values, part / 100).toFixed(3)));
}
