import cluster from "node:cluster";
import { startCluster } from "./start-cluster.ts";
import { startNode } from "./start-node.ts";

/** Starts the chat that the environment describes: one node, or with `--cluster` several behind one address. */
export function start(pageDir: string): void {
  const isPrimary = process.argv.includes("--cluster") && cluster.isPrimary;
  (isPrimary ? startCluster() : startNode(pageDir)).catch(fail);
}

/** In words where it is something to set right; whole, with its causes, where it is not. */
function fail(error: unknown): void {
  console.error(error instanceof Error && error.cause === undefined ? error.message : error);
  process.exitCode = 1;
  if (cluster.isWorker) process.disconnect(); // what keeps a worker alive
}
