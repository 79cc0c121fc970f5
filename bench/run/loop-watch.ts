/** How long the event loop has been blocked at most, by the clock and by the CPU time of its thread. */
export interface Blocked {
  readonly blockMs: number;
  /** Does not count what other processes took of the core; counts no wait for a disk. */
  readonly blockCpuMs: number;
}

const cpuMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Looks at each turn of the loop until the returned function is called. */
export function watchLoop(): () => Blocked {
  let [lastAt, lastCpu] = [performance.now(), cpuMs()];
  let [blockMs, blockCpuMs] = [0, 0];
  const look = () => {
    const [at, cpu] = [performance.now(), cpuMs()];
    blockMs = Math.max(blockMs, at - lastAt);
    blockCpuMs = Math.max(blockCpuMs, cpu - lastCpu);
    [lastAt, lastCpu] = [at, cpu];
  };
  let turn = setImmediate(function next() {
    look();
    turn = setImmediate(next);
  });
  return () => {
    clearImmediate(turn);
    look();
    return { blockMs, blockCpuMs };
  };
}
