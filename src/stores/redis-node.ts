/**
 * Clients of the package `redis`, node-redis 5 and later: `createClient` and `createCluster`.
 */
import {
  hasMethods,
  property,
  type RedisConnection,
  type RedisNode,
  type Subscriber,
  type Subscription,
} from "./redis-connection.ts";

/** What is used of a client. */
export interface NodeRedisClient {
  sendCommand(command: string[]): Promise<unknown>;
  duplicate(): NodeRedisSubscriber;
  pSubscribe(pattern: string, listener: (text: string, channel: string) => void): Promise<unknown>;
}

/** What is used of the client's duplicate. */
export interface NodeRedisSubscriber {
  readonly isOpen: boolean;
  on(event: string, listener: (error: unknown) => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (text: string, channel: string) => void): Promise<unknown>;
  pSubscribe(pattern: string, listener: (text: string, channel: string) => void): Promise<unknown>;
  destroy(): void;
}

/** What is used of a Cluster's client. */
export interface NodeRedisCluster {
  readonly masters: readonly unknown[];
  sendCommand(firstKey: string | undefined, isReadonly: boolean, command: string[]): Promise<unknown>;
  nodeClient(node: unknown): NodeRedisClient | Promise<NodeRedisClient>;
}

export function isNodeRedis(client: unknown): client is NodeRedisClient | NodeRedisCluster {
  if (!hasMethods(client, "sendCommand", "pSubscribe", "duplicate")) return false;
  const isSentinel = hasMethods(client, "getSentinelNode");
  return !isSentinel && !hasMethods(client, "execute");
}

export function nodeRedisConnection(client: NodeRedisClient | NodeRedisCluster): RedisConnection {
  const options = property(client, "options") ?? property(client, "_options");
  const traits = {
    database: Number(property(options, "database") ?? 0),
    keyPrefix: String(property(options, "keyPrefix") ?? ""),
  };
  if (!("masters" in client)) {
    const node = nodeOf(client);
    return {
      ...traits,
      isCluster: false,
      send: (_key, command) => node.send(command),
      masters: async () => [node],
    };
  }
  return {
    ...traits,
    isCluster: true,
    send: (key, command) => client.sendCommand(key, false, [...command]),
    masters: async () =>
      Promise.all(client.masters.map(async (master) => nodeOf(await client.nodeClient(master)))),
  };
}

function nodeOf(client: NodeRedisClient): RedisNode {
  return {
    send: (command) => client.sendCommand([...command]),
    subscribe: (subscription) => subscribe(client.duplicate(), subscription),
  };
}

async function subscribe(duplicate: NodeRedisSubscriber, subscription: Subscription): Promise<Subscriber> {
  // The duplicate would reconnect by itself, and nobody would know what was missed meanwhile: the first error ends it.
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {}); // told by `down` besides
  const close = () => {
    if (duplicate.isOpen) duplicate.destroy();
  };
  duplicate.on("error", (error) => {
    reject(error);
    close();
    subscription.down(error);
  });
  duplicate.on("end", () => subscription.down(new Error("The connection of the change feed has ended.")));
  const unlessFailed = async (run: () => Promise<unknown>) => {
    await Promise.race([run(), failed]);
  };
  try {
    await unlessFailed(() => duplicate.connect());
    await unlessFailed(() => duplicate.subscribe(subscription.channel, (text) => subscription.message(text)));
  } catch (error) {
    close();
    throw error;
  }
  const onPattern = (text: string, channel: string) => subscription.patternMessage(channel, text);
  return { addPattern: (pattern) => unlessFailed(() => duplicate.pSubscribe(pattern, onPattern)), close };
}
