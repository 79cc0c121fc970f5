/** Clients' events whose handlers add one to a number in the session. */
import { assertEqual, inParallel, type Sample, timed, visitor } from "../run/sample.ts";
import { over, type Scenario, type Variant } from "./scenario.ts";

/** The sockets share the sessions evenly; each has one update under way. */
async function measure(sample: Sample, sessions: number) {
  const browsers = await Promise.all(Array.from({ length: sessions }, () => visitor(sample)));
  const sockets = await Promise.all(
    Array.from({ length: sample.count(20, 4) }, async (_, index) => {
      const browser = browsers[index % sessions];
      return browser?.connect("/", { transports: ["websocket"], reconnection: false });
    }),
  );
  let done = 0;
  const updates = (times: number) =>
    inParallel(times, sockets.length, async (worker) => {
      assertEqual("the answer", await sockets[worker]?.emitWithAck("increment"), "done");
      done++;
    });
  const repetitions = { times: sample.count(2_000, 8) };
  const measured = await timed(sample, repetitions, updates);
  const counts = await Promise.all(browsers.map((browser) => browser.get("/count")));
  for (const browser of browsers) browser.close();
  const kept = counts.reduce((sum, count) => sum + Number(count), 0);
  return { ...measured, keptPercent: (kept / done) * 100 };
}

const variant = (name: string, title: string, sessions: [full: number, tiny: number]): Variant => ({
  name,
  title,
  cases: [
    ...over("recipe-reload", "redis", "postgres"),
    ...over("socket-session", "memory", "wrapped", "sqlite", "redis", "ioredis", "postgres"),
    ...over("socket-session", "mongodb", "mongodb-replica"),
  ],
  bars: ["recipe-reload"],
  compare: "ratio",
  async measure(sample) {
    const measured = await measure(sample, sample.count(...sessions));
    if (sample.subject === "socket-session") assertEqual("the updates kept", measured.keptPercent, 100);
    return measured;
  },
});

export const update: Scenario = {
  name: "update",
  title: "Update: an event whose handler changes the session",
  about:
    "20 stock clients send an event whose handler adds one to a number in the session: by `update` " +
    'here, by `reload` and `save` in the recipe. "Kept" is the share of the increments that the session ' +
    "has in the end.",
  metrics: [
    { name: "cpuUs", title: "CPU, µs", digits: 0 },
    { name: "wallUs", title: "time, µs", digits: 0 },
    { name: "keptPercent", title: "kept, %", digits: 0 },
  ],
  variants: [
    variant("hot", "20 sockets of one session", [1, 1]),
    variant("many", "20 sockets of a session each", [20, 4]),
  ],
};
