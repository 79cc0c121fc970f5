/** Sockets that neither send nor receive anything but Engine.IO's pings. */
import { setTimeout as wait } from "node:timers/promises";
import { closeCrowd, logIns, openCrowd } from "../run/crowd.ts";
import { assertEqual, type Sample } from "../run/sample.ts";
import { over, type Scenario } from "./scenario.ts";

const sockets = 1_000;
const windowMs = 60_000;

async function measure(sample: Sample) {
  const count = sample.count(sockets, 4);
  const crowd = await openCrowd(sample, count, await logIns(sample, count));
  await wait(sample.count(5_000, 1)); // for what follows the handshakes
  assertEqual("the connections", await sample.server.ask("connections"), count);
  await sample.server.ask("operations");
  const before = await sample.server.ask("cpuUs");
  const ms = sample.count(windowMs, 10);
  await wait(ms);
  const cpuUs = (await sample.server.ask("cpuUs")) - before;
  const operations = await sample.server.ask("operations");
  assertEqual("the connections", await sample.server.ask("connections"), count);
  closeCrowd(crowd);
  const perHour = (3_600_000 / ms) * (sockets / count);
  return { operations: operations.count * perHour, cpuSeconds: (cpuUs / 1e6) * perHour };
}

export const idle: Scenario = {
  name: "idle",
  title: "Idle: 1,000 silent sockets of a session each, in an hour (extrapolated from a minute)",
  about:
    "Operations are calls of the store: one of several sessions counts once. What the first five " +
    "seconds after the handshakes cost is left out. The feed of a database sends heartbeats, which are " +
    "not among the operations.",
  rounds: 2,
  metrics: [
    { name: "cpuSeconds", title: "CPU, s", digits: 1 },
    { name: "operations", title: "operations of the store", digits: 0 },
  ],
  variants: [
    {
      name: "hour",
      title: "",
      cases: [
        ...over("bare", "memory"),
        ...over("recipe", "redis"),
        ...over("recipe-poll", "redis"),
        ...over("socket-session", "memory", "wrapped", "redis", "postgres"),
      ],
      bars: ["bare"],
      compare: "ratio",
      isCounted: true,
      measure,
    },
  ],
};
