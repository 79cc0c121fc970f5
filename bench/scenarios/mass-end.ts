/** Many sessions end at once, each with a socket: how long the event loop is blocked, and when the last socket is closed. */
import { logIns, openCrowd } from "../run/crowd.ts";
import { assertEqual, emptied, type Sample } from "../run/sample.ts";
import { idOf } from "../run/session-cookie.ts";
import type { Ends } from "../subjects/subject.ts";
import { over, type Scenario, type Variant } from "./scenario.ts";

const user = "ada";

/** `elsewhere`: whether another node ends them, so that the measured one has it of the feed. */
async function measure(sample: Sample, by: keyof Ends, count: number, elsewhere: boolean) {
  const { server } = sample;
  const cookies = await logIns(sample, count, () => ({ name: user, userId: user }));
  const crowd = await openCrowd(sample, count, cookies);
  assertEqual("the connections", await server.ask("connections"), count);
  const other = elsewhere ? await sample.startNode() : undefined;
  const ending = other ?? server;
  await ending.ask(
    "prepareEnd",
    cookies.map((cookie) => idOf(cookie, sample.secrets)),
  );
  await server.ask("memory"); // collects what the logins have left
  await server.ask("watchLoop");
  const start = performance.now();
  const closed = Promise.all(crowd.map((socket) => socket.closed));
  assertEqual("the count of ended sessions", await ending.ask("end", { by, user }), count);
  await closed;
  const durationMs = performance.now() - start;
  await emptied(sample);
  const blocked = await server.ask("blocked");
  await other?.end();
  return { ...blocked, durationMs };
}

const variant = (by: keyof Ends, count: number, title: string): Variant => ({
  name: `${by}-${count}`,
  title,
  cases: [...over("bare", "memory"), ...over("socket-session", "memory", "redis", "postgres")],
  bars: ["bare"],
  compare: "ratio",
  times: { storeTimeoutMs: 120_000 }, // of 10,000 operations that begin in one turn, the last one waits for all others
  measure: (sample) => measure(sample, by, sample.count(count, 4), false),
});

export const massEnd: Scenario = {
  name: "mass-end",
  title: "Mass end: the longest block of the event loop",
  about:
    "Each session has one socket. The longest block is the longest turn of the event loop, by the clock, " +
    "and by the CPU time of its thread, which leaves out what other processes took; and that without the collections of " +
    "garbage, which come in the turn that fills the heap, whatever the turn does. Bare Socket.IO closes " +
    "its sockets by `disconnectSockets(true)`, and ends no session.",
  rounds: 3,
  metrics: [
    { name: "blockMs", title: "longest block, ms", digits: 1 },
    { name: "blockCpuMs", title: "the same of CPU, ms", digits: 1 },
    { name: "blockOwnMs", title: "without collections of garbage, ms", digits: 1 },
    { name: "durationMs", title: "until all are closed, ms", digits: 0 },
  ],
  variants: [
    variant("user", 4_000, "4,000 sessions of one user are ended"),
    variant("user", 10_000, "10,000 sessions of one user are ended"),
    variant("each", 10_000, "10,000 sessions are ended, by a call for each in one turn"),
    variant("close", 10_000, "close() with 10,000 sockets"),
    {
      name: "elsewhere-10000",
      title: "10,000 sessions of one user are ended on another node",
      cases: over("socket-session", "redis", "postgres"),
      bars: [],
      compare: "ratio",
      measure: (sample) => measure(sample, "user", sample.count(10_000, 4), true),
    },
  ],
};
