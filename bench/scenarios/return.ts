/** Many clients lose their connection at once and come back: how they are spread, and how the store is asked. */
import { logIns } from "../run/crowd.ts";
import type { Blocked } from "../run/loop-watch.ts";
import { ReturningCrowd } from "../run/returning-crowd.ts";
import { assertEqual, emptied, type Sample } from "../run/sample.ts";
import { over, type Scenario } from "./scenario.ts";

/** `lose` has all connections closed, by the server or on the way; `back` makes it possible to come back. */
async function measure(
  sample: Sample,
  { lose, back }: { lose: (crowd: ReturningCrowd) => void; back: () => Promise<void> },
) {
  const count = sample.count(4_000, 4);
  const crowd = new ReturningCrowd(sample, await logIns(sample, count));
  await crowd.allIn();
  assertEqual("the connections", await sample.server.ask("connections"), count);
  const away = await blockedDuring(sample, async () => {
    lose(crowd);
    await emptied(sample);
  });
  await sample.server.ask("operations");
  const start = performance.now();
  const returning = await blockedDuring(sample, async () => {
    await back();
    await crowd.allIn();
  });
  const durationMs = performance.now() - start;
  const { readsPerSecond } = await sample.server.ask("operations");
  crowd.close();
  const most = (name: keyof Blocked) => Math.max(away[name], returning[name]);
  return { blockMs: most("blockMs"), blockCpuMs: most("blockCpuMs"), durationMs, readsPerSecond };
}

async function blockedDuring({ server }: Sample, work: () => Promise<void>): Promise<Blocked> {
  await server.ask("watchLoop");
  await work();
  return server.ask("blocked");
}

export const comeBack: Scenario = {
  name: "return",
  title: "Return: 4,000 clients, of a session each, lose their connections and come back",
  about:
    "The clients come back after the pauses of stock clients: a second, twice as long after each " +
    "failure, five at most, half more or less at random. Blocks are of both, the loss and the return.",
  rounds: 3,
  metrics: [
    { name: "blockMs", title: "longest block, ms", digits: 1 },
    { name: "blockCpuMs", title: "the same of CPU, ms", digits: 1 },
    { name: "durationMs", title: "until all are back, ms", digits: 0 },
    { name: "readsPerSecond", title: "most reads of the store in a second", digits: 0 },
  ],
  variants: [
    {
      name: "network",
      title: "The network is lost",
      cases: [
        ...over("bare", "memory"),
        ...over("recipe", "redis"),
        ...over("express-socket.io-session", "redis"),
        ...over("store-get", "redis"),
        ...over("socket-session", "memory", "redis", "postgres"),
      ],
      bars: ["bare"],
      compare: "ratio",
      isCounted: true,
      measure: (sample) => measure(sample, { lose: (crowd) => crowd.loseAll(), back: async () => {} }),
    },
    {
      name: "store",
      title: "The store is away for longer than `staleMs`, which closes the sockets",
      cases: over("socket-session", "redis", "postgres"),
      bars: [],
      compare: "ratio",
      isCounted: true,
      isProxied: true,
      times: { revalidateIntervalMs: 500, staleMs: 1_000 },
      measure: (sample) =>
        measure(sample, {
          lose: () => sample.proxy?.cut("visible"),
          back: async () => sample.proxy?.heal(),
        }),
    },
  ],
};
