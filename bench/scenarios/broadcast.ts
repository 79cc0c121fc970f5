/** The server emits an event to all sockets. */
import { closeCrowd, logIns, openCrowd } from "../run/crowd.ts";
import { assertEqual, type Sample, timed } from "../run/sample.ts";
import { connected, type Scenario, type Variant } from "./scenario.ts";

const text = "a line of a chat, of the usual length";

/** Metrics are of one emit to one socket. */
async function measure(sample: Sample, count: number) {
  const cookies = await logIns(sample, sample.count(100, 2));
  const sockets = await openCrowd(sample, count, cookies);
  assertEqual("the connections", await sample.server.ask("connections"), count);
  const broadcast = async () => {
    const received = sockets.map((socket) => socket.receive());
    await sample.server.ask("broadcast", text);
    await Promise.all(received);
  };
  const repetitions = { times: sample.count(20, 2), each: count };
  const measured = await timed(sample, repetitions, async (times) => {
    for (let time = 0; time < times; time++) await broadcast();
  });
  closeCrowd(sockets);
  return measured;
}

const variant = (full: number, tiny: number): Variant => ({
  name: `${full}`,
  title: `${full} sockets of 100 sessions`,
  cases: connected,
  bars: ["bare"],
  compare: "ratio",
  measure: (sample) => measure(sample, sample.count(full, tiny)),
});

export const broadcast: Scenario = {
  name: "broadcast",
  title: "Broadcast: an event for all sockets, for each of them",
  about:
    "The server emits an event of a short text to 4,000 sockets, 20 times. The clients count what " +
    "arrives.",
  metrics: [
    { name: "cpuUs", title: "CPU, µs", digits: 2 },
    { name: "wallUs", title: "time, µs", digits: 2 },
  ],
  variants: [variant(4_000, 4)],
};
