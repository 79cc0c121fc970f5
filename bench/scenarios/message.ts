/** A client's event, whose handler reads the session and answers. */
import { assertEqual, inParallel, type Sample, timed, visitor } from "../run/sample.ts";
import { over, type Scenario } from "./scenario.ts";

async function measure(sample: Sample) {
  const browser = await visitor(sample);
  const connect = () => browser.connect("/", { transports: ["websocket"], reconnection: false });
  const sockets = await Promise.all(Array.from({ length: sample.count(20, 2) }, connect));
  const messages = (times: number) =>
    inParallel(times, sockets.length * 4, async (worker) => {
      const name = await sockets[worker % sockets.length]?.emitWithAck("read");
      assertEqual("the session's name", name, "ada");
    });
  const repetitions = { times: sample.count(60_000, 20) };
  const measured = await timed(sample, repetitions, messages);
  browser.close();
  return measured;
}

export const message: Scenario = {
  name: "message",
  title: "Message: an event whose handler reads the session and answers",
  about:
    "20 stock clients of one session send an event by WebSocket, 80 at a time. Its handler reads the " +
    "name in the session, and answers with it.",
  metrics: [
    { name: "cpuUs", title: "CPU, µs", digits: 2 },
    { name: "wallUs", title: "time, µs", digits: 2 },
  ],
  variants: [
    {
      name: "websocket",
      title: "",
      bars: ["bare"],
      compare: "ratio",
      cases: [
        ...over("bare", "memory"),
        ...over("recipe", "redis"),
        ...over("recipe-reload", "redis"),
        ...over("express-socket.io-session", "redis"),
        ...over("store-get", "redis"),
        ...over("socket-session", "memory", "redis"),
      ],
      measure,
    },
  ],
};
