import cluster from "node:cluster";
import { createServer } from "node:http";
import { setupPrimary as relayBetweenWorkers } from "@socket.io/cluster-adapter";
import { setupMaster as balance } from "@socket.io/sticky";
import { readEnvironment } from "./environment.ts";
import { inWords } from "./start-node.ts";
import { Worker } from "./worker.ts";

/**
 * Several nodes behind one address, on this machine: this process accepts the connections and hands each to a worker. One that carries
 * the id of an Engine.IO session goes to the worker that has it, which polling needs; any other to the next in turn.
 */
export async function startCluster(): Promise<void> {
  const { port, nodes, nodeName = "node" } = readEnvironment(process.env, { isInCluster: true });
  const http = createServer();
  // Buffers, which polling sends along, survive no other way between processes.
  cluster.setupPrimary({ serialization: "advanced" });
  balance(http, { loadBalancingMethod: "round-robin" });
  relayBetweenWorkers();

  const workers = Array.from({ length: nodes }, (_, index) => new Worker(`${nodeName} ${index + 1}`));
  const stop = () => {
    http.close();
    http.closeAllConnections();
    for (const worker of workers) worker.stop();
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);

  try {
    const [first, ...others] = workers;
    // One before the others: what keeps it from starting is said once.
    const notes = (await first?.start()) ?? [];
    await Promise.all(others.map((worker) => worker.start()));
    console.log(`Chat: http://localhost:${await listen(http, port)}, served by ${nodes} nodes`);
    for (const note of notes) console.log(note);
  } catch (error) {
    stop();
    throw inWords(error, port);
  }
}

function listen(http: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, () => {
      const address = http.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}
