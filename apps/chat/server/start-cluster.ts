import cluster from "node:cluster";
import { createServer } from "node:http";
import { setupPrimary as relayBetweenWorkers } from "@socket.io/cluster-adapter";
import { setupMaster as balance } from "@socket.io/sticky";
import { limits } from "../shared/events.ts";
import { readEnvironment } from "./environment.ts";
import { listen } from "./listen.ts";
import { inWords } from "./start-node.ts";
import { Worker, type WorkerEvents } from "./worker.ts";

/** How long a node stays away that a visitor has stopped. */
const awayMs = 3_000;

/**
 * Several nodes behind one address on this machine: this process accepts the connections and hands each to a worker. A
 * connection with the id of an Engine.IO session goes to that session's worker, which polling needs; the others are
 * distributed in turn.
 */
export async function startCluster(): Promise<void> {
  const { port, nodes, nodeName = "node" } = readEnvironment(process.env, { isInCluster: true });
  const http = createServer();
  // Without it, Buffers, which polling sends, would not survive the transfer between processes.
  cluster.setupPrimary({ serialization: "advanced" });
  balance(http, { loadBalancingMethod: "round-robin" });
  relayBetweenWorkers();

  let stoppedAt = Number.NEGATIVE_INFINITY;
  const events: WorkerEvents = {
    onStopAsked(name) {
      const asked = workers.find((one) => one.name === name);
      const isRested = performance.now() - stoppedAt >= limits.stopsEveryMs;
      // one at a time, never the last, and not all the time
      if (!asked || !isRested || workers.length < 2 || !workers.every(({ isReady }) => isReady)) return;
      stoppedAt = performance.now();
      asked.stopFor(awayMs);
    },
    onStory(words) {
      for (const worker of workers) worker.tell(words);
    },
  };
  const workers = Array.from({ length: nodes }, (_, index) => new Worker(`${nodeName} ${index + 1}`, events));
  const stop = () => {
    http.close();
    http.closeAllConnections();
    for (const worker of workers) worker.stop();
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);

  try {
    const [first, ...others] = workers;
    // One starts before the others, so that an error that prevents the start is printed once.
    const notes = (await first?.start()) ?? [];
    await Promise.all(others.map((worker) => worker.start()));
    console.log(`Chat: http://localhost:${await listen(http, port)}, served by ${nodes} nodes`);
    for (const note of notes) console.log(note);
  } catch (error) {
    stop();
    throw inWords(error, port);
  }
}
