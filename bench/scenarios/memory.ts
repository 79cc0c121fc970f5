/** What the application keeps for each socket that is connected. */
import { closeCrowd, logIns, openCrowd } from "../run/crowd.ts";
import { assertEqual, emptied, type Sample } from "../run/sample.ts";
import { connected, over, type Scenario, type Variant } from "./scenario.ts";

/** The sessions are there before: their store is not measured. */
async function measure(sample: Sample, sockets: number, sessions: number) {
  const cookies = await logIns(sample, sessions);
  closeCrowd(await openCrowd(sample, sample.count(200, 2), cookies.slice(0, 200)));
  await emptied(sample);
  const before = await sample.server.ask("memory");
  const crowd = await openCrowd(sample, sockets, cookies);
  assertEqual("the connections", await sample.server.ask("connections"), sockets);
  const after = await sample.server.ask("memory");
  closeCrowd(crowd);
  return {
    heapKiB: (after.heapBytes - before.heapBytes) / sockets / 1024,
    rssKiB: (after.rssBytes - before.rssBytes) / sockets / 1024,
  };
}

const cases = [...connected, ...over("least", "redis")];

const variant = (sockets: number, of: "one" | "each"): Variant => ({
  name: `${sockets}-${of}`,
  title: `${sockets} sockets ${of === "one" ? "of one session" : "of a session each"}`,
  cases,
  bars: ["bare"],
  compare: "difference",
  measure(sample) {
    const count = sample.count(sockets, 4);
    return measure(sample, count, of === "one" ? 1 : count);
  },
});

export const memory: Scenario = {
  name: "memory",
  title: "Memory: what a connected socket takes",
  about:
    "The heap of the application after a collection of garbage, with the sockets and before them, for " +
    "each socket. The sessions were stored before. Resident memory is what the operating system saw, " +
    "and jumps.",
  metrics: [
    { name: "heapKiB", title: "heap, KiB", digits: 1 },
    { name: "rssKiB", title: "resident, KiB", digits: 1 },
  ],
  variants: [variant(2_000, "one"), variant(2_000, "each"), variant(10_000, "one"), variant(10_000, "each")],
};
