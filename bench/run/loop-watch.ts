import { type PerformanceEntry, PerformanceObserver, performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";

/** How long the event loop has been blocked at most. */
export interface Blocked {
  readonly blockMs: number;
  /** By the CPU time of its thread: does not count what other processes took of the core, nor a wait for a disk. */
  readonly blockCpuMs: number;
  /** The same without the collections of garbage, which come in the turn that fills the heap, whatever that does. */
  readonly blockOwnMs: number;
}

interface Turn {
  readonly from: number;
  readonly until: number;
  readonly cpuMs: number;
}

const cpuMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

const longest = (all: readonly number[]) => Math.max(0, ...all);

/** Looks at each turn of the loop until the returned function is called. */
export function watchLoop(): () => Promise<Blocked> {
  const turns: Turn[] = [];
  const collections: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => void collections.push(...list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  let [lastAt, lastCpu] = [performance.now(), cpuMs()];
  const look = () => {
    const [at, cpu] = [performance.now(), cpuMs()];
    if (at - lastAt > 1) turns.push({ from: lastAt, until: at, cpuMs: cpu - lastCpu });
    [lastAt, lastCpu] = [at, cpu];
  };
  let turn = setImmediate(function next() {
    look();
    turn = setImmediate(next);
  });
  const collectedMs = ({ from, until }: Turn) =>
    collections
      .filter(({ startTime }) => from <= startTime && startTime < until)
      .reduce((sum, { duration }) => sum + duration, 0);
  return async () => {
    clearImmediate(turn);
    look();
    await nextTurn(); // the observer has been told of all
    observer.disconnect();
    return {
      blockMs: longest(turns.map(({ from, until }) => until - from)),
      blockCpuMs: longest(turns.map((one) => one.cpuMs)),
      blockOwnMs: longest(turns.map((one) => one.cpuMs - collectedMs(one))),
    };
  };
}
