/**
 * The time from `sessions.end()` on one node to the close of the session's socket on another, as a ratio to the time
 * from a bare, equally durable delete and publish to its arrival through the same database. Each store and round has two fresh processes, in which
 * both measurements take turns; the rounds of the stores alternate.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Benchmark, Report } from "../run/benchmark.ts";
import { closePlace, isHere, openPlaceOf } from "../run/places.ts";
import { spreadOf } from "../run/spread.ts";
import { startWorker, type Worker } from "../run/worker.ts";
import { bareFeedOf } from "./bare-feeds.ts";
import { type Compared, programsOf, stores } from "./compared-stores.ts";
import type { NodeAnswers, NodeSetting } from "./end-to-close-process.ts";
import type { Place } from "./places.ts";

const usualRounds = 5;
const warmUps = 2;
const samples = 7;
/**
 * A random pause before each sample, which would otherwise begin at the same moment of a poll as the last one ended.
 */
const longestPauseMs = 50;

interface Round {
  /**
   * Ends that a read found before the feed reported them, as after a gap: these have no reason, and are not measured.
   */
  readonly byRead: number;
  readonly endToCloseMs: readonly number[];
  readonly bareMs: readonly number[];
}

type Node = Worker<NodeAnswers>;

export const endToClose: Benchmark = {
  name: "end-to-close",
  async run({ stores: names, rounds = usualRounds }) {
    const wanted = stores.filter(({ kind }) => names === undefined || names.includes(kind.name));
    const here = wanted.filter(({ kind }) => isHere(kind));
    const measured = here.map((store) => ({ store, rounds: [] as Round[] }));
    for (let round = 0; round < rounds; round++)
      for (const one of measured) one.rounds.push(await measure(one.store, round));
    const missing = wanted.filter((store) => !here.includes(store));
    return reportOf(measured, rounds, [
      ...(await programsOf(here)),
      ...missing.map(({ kind }) => `${kind.title}: not measured, its server is missing.`),
    ]);
  },
};

async function measure(store: Compared, round: number): Promise<Round> {
  const { kind, client, isReplicaSet } = store;
  const address = openPlaceOf(kind);
  const place: Place = { address, client, ...(isReplicaSet ? { isReplicaSet } : {}) };
  const nodes = (["first", "second"] as const).map((role) => startNode({ place, role }));
  const [first, second] = nodes;
  if (!first || !second) throw new Error("Expected two nodes.");
  try {
    await Promise.all(nodes.map(ready));
    return await measureBetween(first, second, round);
  } catch (cause) {
    throw new Error(`Expected to measure ${kind.title} in round ${round + 1}, but it failed.`, { cause });
  } finally {
    await Promise.all(nodes.map((node) => node.end()));
    await closePlace(address);
  }
}

function startNode(setting: NodeSetting): Node {
  return startWorker<NodeAnswers>(new URL("end-to-close-process.ts", import.meta.url), setting);
}

async function ready(node: Node): Promise<void> {
  for (let attempt = 0; !(await node.ask("isReady")); attempt++) {
    if (attempt > 500) throw new Error("Expected the feed of a node to become whole.");
    await wait(20);
  }
}

async function measureBetween(first: Node, second: Node, round: number): Promise<Round> {
  const bystander = await second.ask("connect", (await first.ask("logIn")).cookie);
  const endToCloseMs: number[] = [];
  const bareMs: number[] = [];
  let byRead = 0;
  const endOne = async () => {
    const closing = await endAndClose(first, second, endToCloseMs.length < warmUps);
    if (closing.byFeed) endToCloseMs.push(closing.tookMs);
    else byRead += 1;
  };
  const endBareOne = async () => bareMs.push(await endBareAndHear(first, second));
  while (Math.min(endToCloseMs.length, bareMs.length) < warmUps + samples) {
    const turns = [endOne, endBareOne];
    for (const take of (bareMs.length + round) % 2 === 0 ? turns : turns.toReversed()) await take();
    if (byRead > samples) throw new Error("Expected a feed that is whole most of the time.");
  }
  if (!(await second.ask("holds", bystander)))
    throw new Error("Expected the socket of another session to live on.");
  return { byRead, endToCloseMs: endToCloseMs.slice(warmUps), bareMs: bareMs.slice(warmUps) };
}

/** `checksRefusal`: whether to check too that no client gets in with the ended session. */
async function endAndClose(first: Node, second: Node, checksRefusal: boolean) {
  const { sid, cookie } = await first.ask("logIn");
  const socket = await second.ask("connect", cookie);
  await wait(Math.random() * longestPauseMs);
  const closed = second.ask("closed", socket);
  const tookMs = await timed(
    () => first.ask("end", sid),
    async () => (await closed).at,
  );
  const { told, reason } = await closed;
  const byFeed = isDeepStrictEqual(told, { reason: "revoked" });
  const isRight = byFeed || isDeepStrictEqual(told, { reason: "destroyed" });
  if (!isRight || reason !== "io server disconnect")
    throw new Error(
      `Expected a socket to be told of the end, but it saw ${JSON.stringify({ told, reason })}.`,
    );
  for (const node of checksRefusal ? [first, second] : []) {
    const code = await node.ask("refusal", cookie);
    if (code !== "SESSION_ENDED") throw new Error(`Expected the ended session to be refused, not ${code}.`);
  }
  return { tookMs, byFeed };
}

async function endBareAndHear(first: Node, second: Node): Promise<number> {
  const text = randomUUID();
  await first.ask("createBare", text);
  await wait(Math.random() * longestPauseMs);
  const heard = second.ask("heard", text);
  return timed(
    () => first.ask("endBare", text),
    () => heard,
  );
}

/** In milliseconds, by the clock of both processes. Rejects if it is not the same as this one's. */
async function timed(begin: () => Promise<string>, ended: () => Promise<string>): Promise<number> {
  const before = process.hrtime.bigint();
  const [from, to] = (await Promise.all([begin(), ended()])).map(BigInt);
  const after = process.hrtime.bigint();
  if (from === undefined || to === undefined || from < before || to < from || after < to)
    throw new Error("Expected the processes of this machine to share one monotonic clock.");
  return Number(to - from) / 1e6;
}

function reportOf(
  measured: readonly { store: Compared; rounds: readonly Round[] }[],
  rounds: number,
  notes: readonly string[],
): Report {
  const rows = measured.map(({ store, rounds: all }) => {
    const ratios = all.map((round) => spreadOf(round.endToCloseMs).median / spreadOf(round.bareMs).median);
    const { median, least, most } = spreadOf(ratios);
    return [
      store.kind.title,
      bareFeedOf(store).title,
      `${median.toFixed(1)} (${least.toFixed(1)} to ${most.toFixed(1)})`,
    ];
  });
  const byRead = measured.flatMap(({ store, rounds: all }) => {
    const count = all.reduce((sum, round) => sum + round.byRead, 0);
    return count === 0
      ? []
      : [`${store.kind.title}: ${count} more were found by a read before the feed told of them.`];
  });
  return {
    about:
      "The ratio of the time from `sessions.end()` on one node to the close of the session's socket on another, to the time " +
      "from the same done bare, until its message arrives: a record is removed, as durably, and its id published.",
    metrics: [],
    measured: [],
    title:
      "From end() on one node to the close on another, in times of a bare delete and publish to its arrival",
    tables: [{ title: "", rows: [["", "compared with", "median of rounds (least to most)"], ...rows] }],
    notes: [`${rounds} rounds of ${samples} samples of each.`, ...byRead, ...notes],
    raw: measured.map(({ store, rounds: all }) => ({ store: store.kind.title, rounds: all })),
  };
}
