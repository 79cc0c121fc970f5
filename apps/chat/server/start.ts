import cluster from "node:cluster";
import { startCluster } from "./start-cluster.ts";
import { startNode } from "./start-node.ts";

/** Starts the chat that the environment describes: one node, or with `--cluster` several behind one address. */
export function start(pageDir: string): void {
  const isPrimary = process.argv.includes("--cluster") && cluster.isPrimary;
  (isPrimary ? startCluster() : startNode(pageDir)).catch(fail);
}

/** In words where it is something to set right; with its stack where it is not. No causes: they may hold passwords. */
function fail(error: unknown): void {
  const isError = error instanceof Error;
  console.error(isError && error.cause === undefined ? error.message : isError ? error.stack : error);
  process.exitCode = 1;
  if (cluster.isWorker) process.disconnect(); // what keeps a worker alive
}
