/**
 * Clients of the package `ioredis`, 5 and later: `Redis` (one server, or found by Sentinel) and `Cluster`.
 */
import { hasMethods, hasProperty, property } from "../../base/shapes.ts";
import {
  notConnected,
  type RedisConnection,
  type RedisNode,
  type Subscriber,
  type Subscription,
} from "./connection.ts";
import { SubscriptionEnd } from "./subscription.ts";

/** The part of a client that the store uses. */
export interface IoRedisClient {
  readonly isCluster: boolean;
  call(command: string, args: string[]): Promise<unknown>;
  duplicate(options: { lazyConnect: boolean; retryStrategy: () => null }): IoRedisSubscriber;
}

/** The part of the client's duplicate that the store uses. */
interface IoRedisSubscriber {
  on(event: string, listener: (...args: never[]) => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  psubscribe(pattern: string): Promise<unknown>;
  disconnect(): void;
}

/** The part of a Cluster's client that the store uses. */
export interface IoRedisCluster {
  readonly isCluster: boolean;
  call(command: string, args: string[]): Promise<unknown>;
  nodes(role: "master"): IoRedisClient[];
}

export function isIoRedis(client: unknown): client is IoRedisClient | IoRedisCluster {
  return hasMethods(client, "call", "psubscribe", "duplicate") && hasProperty(client, "isCluster");
}

/** In version 4, a client of one server has no `isCluster`, and every client keeps the scripts that it has sent. */
export function isOldIoRedis(client: unknown): boolean {
  if (!hasMethods(client, "call", "psubscribe", "duplicate")) return false;
  return !hasProperty(client, "isCluster") || hasProperty(client, "_addedScriptHashes");
}

export function ioredisConnection(client: IoRedisClient | IoRedisCluster): RedisConnection {
  const options = property(client, "options");
  const traits = {
    database: Number(property(options, "db") ?? 0),
    keyPrefix: String(property(options, "keyPrefix") ?? ""),
  };
  const send = (_key: string, command: readonly string[]) => sendBy(client, command, client);
  if (!("nodes" in client)) {
    const watch = async () => watchForLoss(() => [client]);
    return {
      ...traits,
      isCluster: false,
      watchForLoss: watch,
      send,
      masters: async () => [nodeOf(client, client)],
    };
  }
  const watch = () => watchCluster(client);
  return { ...traits, isCluster: true, watchForLoss: watch, send, masters: () => mastersOf(client) };
}

async function mastersOf(client: IoRedisCluster): Promise<RedisNode[]> {
  // A client that is still connecting knows no node; a command waits until it is connected.
  if (client.nodes("master").length === 0) await sendBy(client, ["PING"], client);
  return client.nodes("master").map((node) => nodeOf(node, client));
}

/** From these states, losing the connection adds one epoch; from the others, so does opening the next connection. */
const opened: ReadonlySet<unknown> = new Set(["connecting", "connect", "ready"]);

/** If a Cluster's node is lost, another object replaces it, which may be the only sign. */
function watchForLoss(nodes: () => readonly IoRedisClient[]): () => boolean {
  const epochOf = (node: IoRedisClient) => Number(property(node, "connectionEpoch"));
  const before = new Map(
    nodes().map((node) => [node, epochOf(node) + (opened.has(property(node, "status")) ? 0 : 1)]),
  );
  return () => {
    const now = nodes();
    const isNew = now.some((node) => !before.has(node));
    return isNew || [...before].some(([node, epoch]) => !now.includes(node) || epochOf(node) > epoch);
  };
}

/** Waits until the Cluster is connected: before that no node is known, and each new one might replace a lost one. */
async function watchCluster(client: IoRedisCluster): Promise<() => boolean> {
  if (property(client, "status") !== "ready") await sendBy(client, ["PING"], client);
  return watchForLoss(() => client.nodes("master"));
}

/** `whole` is the application's client, of which this may be a node. */
function nodeOf(client: IoRedisClient, whole: IoRedisClient | IoRedisCluster): RedisNode {
  return {
    send: (command) => sendBy(client, command, whole),
    subscribe: (subscription, signal) =>
      subscribe(client.duplicate({ lazyConnect: true, retryStrategy: () => null }), subscription, signal),
  };
}

async function sendBy(
  client: IoRedisClient | IoRedisCluster,
  [name = "", ...args]: readonly string[],
  whole: IoRedisClient | IoRedisCluster,
): Promise<unknown> {
  try {
    return await client.call(name, args);
  } catch (error) {
    // ioredis keeps the whole command in its errors, including the key, which has the secret id, and the session.
    if (error instanceof Error) Reflect.deleteProperty(error, "command");
    // A lazy client connects by itself; a client that was closed, or has given up, does not.
    const isReply = property(error, "name") === "ReplyError";
    throw !isReply && property(whole, "status") === "end" ? notConnected(error) : error;
  }
}

async function subscribe(
  duplicate: IoRedisSubscriber,
  subscription: Subscription,
  signal: AbortSignal,
): Promise<Subscriber> {
  const end = new SubscriptionEnd(
    () => duplicate.disconnect(),
    (error) => subscription.down(error),
    signal,
  );
  duplicate.on("error", (error: unknown) => end.fail(error));
  duplicate.on("close", () => end.fail(new Error("The connection of the change feed was closed.")));
  duplicate.on("message", (_channel: string, text: string) => subscription.message(text));
  duplicate.on("pmessage", (_pattern: string, channel: string, text: string) =>
    subscription.patternMessage(channel, text),
  );
  await end.orClose(() => duplicate.connect());
  await end.orClose(() => duplicate.subscribe(subscription.channel));
  return {
    addPattern: (pattern) => end.unlessFailed(() => duplicate.psubscribe(pattern)),
    close: () => end.close(),
  };
}
