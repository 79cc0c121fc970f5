// Redis for tests: a server that keeps every acknowledged write through a crash, and a cluster of three masters.
import { setTimeout as pause } from "node:timers/promises";
import { findOnPath } from "./binaries.mjs";
import { ask, freePort } from "./ports.mjs";
import { startServer } from "./server.mjs";

/** @typedef {import("./server.mjs").Server} Server */

export const findRedis = () => findOnPath(["redis-server"]);

const missing = "Expected redis-server on PATH, found none. Install it (Debian, Ubuntu: redis-server).";

/**
 * For a node of a cluster, on a bus of its own: by default Redis takes the port 10,000 above its own, which an outgoing
 * connection may hold.
 */
export async function clusterArgs() {
  const bus = await freePort();
  return { bus, extraArgs: ["--cluster-enabled", "yes", "--cluster-port", String(bus)] };
}

/**
 * @param {import("./server.mjs").ServerOptions} [options]
 * @returns {Promise<Server>}
 */
export async function startRedis(options) {
  const binary = findRedis();
  if (binary === undefined) throw new Error(missing);
  return startServer(
    {
      name: "redis",
      url: (port) => `redis://127.0.0.1:${port}`,
      command: ({ port, dir }) => [
        binary,
        ...["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", ""],
        ...["--appendonly", "yes", "--appendfsync", "always"],
      ],
      isReady: async (port) => (await ask(port, "PING\r\n")) === "+PONG\r\n",
    },
    options,
  );
}

const slots = ["0 5460", "5461 10922", "10923 16383"];

/** @param {Server} node @param {string} command */
async function tell(node, command) {
  // it writes to the disk, which others may keep busy
  const answer = await ask(node.port, `${command}\r\n`, 30_000);
  if (answer !== "+OK\r\n")
    throw new Error(`Expected +OK to ${command}, got ${answer?.trim() ?? "no answer"}.`);
}

/** Waits until a node sees the whole cluster. @param {Server} node */
async function seesAll({ port }) {
  for (let attempt = 0; attempt < 500; attempt++) {
    const info = (await ask(port, "CLUSTER INFO\r\n")) ?? "";
    if (info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3")) return;
    await pause(20);
  }
  throw new Error(`Expected the Redis node on port ${port} to see a cluster of three within 10 s.`);
}

/**
 * Three masters on this machine that share the slots, without replicas.
 *
 * @returns {Promise<{ urls: string[], nodes: Server[], close(): Promise<void> }>}
 */
export async function startRedisCluster() {
  const started = await Promise.allSettled(
    slots.map(async () => {
      const { bus, extraArgs } = await clusterArgs();
      return { bus, node: await startRedis({ extraArgs }) };
    }),
  );
  const members = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const nodes = members.map(({ node }) => node);
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()));
  };
  try {
    for (const result of started) if (result.status === "rejected") throw result.reason;
    await Promise.all(nodes.map((node, index) => tell(node, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`)));
    await Promise.all(nodes.map((node, index) => tell(node, `CLUSTER ADDSLOTSRANGE ${slots[index]}`)));
    const [first, ...others] = members;
    if (first === undefined) throw new Error("Expected three nodes, started none.");
    for (const { node, bus } of others) await tell(first.node, `CLUSTER MEET 127.0.0.1 ${node.port} ${bus}`);
    await Promise.all(nodes.map(seesAll));
  } catch (error) {
    await close();
    throw error;
  }
  return { urls: nodes.map(({ url }) => url), nodes, close };
}
