import cluster from "node:cluster";
import { startCluster } from "./start-cluster.ts";
import { startNode } from "./start-node.ts";

/**
 * Starts the chat as the environment configures it: one node, with `--cluster` several behind one address, or with
 * `--split` one whose sockets are on another host than its page.
 */
export function start(pageDir: string): void {
  const isPrimary = process.argv.includes("--cluster") && cluster.isPrimary;
  (isPrimary ? startCluster() : startNode(pageDir, process.argv.includes("--split"))).catch(fail);
}

/** Prints a configuration error as a message, any other with its stack. No causes: they may contain passwords. */
function fail(error: unknown): void {
  const isError = error instanceof Error;
  console.error(isError && error.cause === undefined ? error.message : isError ? error.stack : error);
  process.exitCode = 1;
  if (cluster.isWorker) process.disconnect(); // the channel keeps a worker alive
}
