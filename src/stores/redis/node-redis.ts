/**
 * Clients of the package `redis`, node-redis 5 and later: `createClient` and `createCluster`.
 */
import { hasMethods, property } from "../../base/shapes.ts";
import {
  notConnected,
  type RedisConnection,
  type RedisNode,
  type Subscriber,
  type Subscription,
} from "./connection.ts";
import { SubscriptionEnd } from "./subscription.ts";

/** Open from the call of `connect()` on, and while it reconnects. */
interface Openable {
  readonly isOpen?: boolean;
}

/** The part of a client that the store uses. */
export interface NodeRedisClient extends Openable {
  /** Whether there is a connection. */
  readonly isReady?: boolean;
  sendCommand(command: string[], options?: { readonly timeout: 0 }): Promise<unknown>;
  duplicate(): NodeRedisSubscriber;
  destroy(): void;
  pSubscribe(pattern: string, listener: (text: string, channel: string) => void): Promise<unknown>;
}

/** The part of the client's duplicate that the store uses. */
interface NodeRedisSubscriber {
  readonly isOpen: boolean;
  on(event: string, listener: (error: unknown) => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (text: string, channel: string) => void): Promise<unknown>;
  pSubscribe(pattern: string, listener: (text: string, channel: string) => void): Promise<unknown>;
  destroy(): void;
}

/** The part of a Cluster's client that the store uses. */
export interface NodeRedisCluster extends Openable {
  readonly masters: readonly unknown[];
  sendCommand(firstKey: string | undefined, isReadonly: boolean, command: string[]): Promise<unknown>;
  nodeClient(node: unknown): NodeRedisClient | Promise<NodeRedisClient>;
}

export function isNodeRedis(client: unknown): client is NodeRedisClient | NodeRedisCluster {
  if (!hasMethods(client, "sendCommand", "pSubscribe", "duplicate", "destroy")) return false;
  const isSentinel = hasMethods(client, "getSentinelNode");
  return !isSentinel && !hasMethods(client, "execute");
}

/** Version 4 has other methods to close a connection, and 2 and 3 another one to send commands. */
export function oldNodeRedis(client: unknown): string | undefined {
  if (hasMethods(client, "internal_send_command")) return "redis 3 or older";
  const isFour =
    hasMethods(client, "sendCommand", "pSubscribe", "duplicate") && !hasMethods(client, "destroy");
  return isFour ? "redis 4" : undefined;
}

export function nodeRedisConnection(client: NodeRedisClient | NodeRedisCluster): RedisConnection {
  const options = property(client, "options") ?? property(client, "_options");
  const traits = {
    database: Number(property(options, "database") ?? 0),
    keyPrefix: String(property(options, "keyPrefix") ?? ""),
  };
  if (!("masters" in client)) {
    const node = nodeOf(client, client);
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
    send: (key, command) =>
      client.isOpen === false ? Promise.reject(notConnected()) : client.sendCommand(key, false, command),
    masters: async () => {
      if (client.isOpen === false) throw notConnected();
      return Promise.all(
        client.masters.map(async (master) => nodeOf(await client.nodeClient(master), client)),
      );
    },
  };
}

/** node-redis 6 gives each command so long, in milliseconds, until it is sent. */
const driversTimeout = 5_000;

/**
 * Of a connected client, commands are sent at once, and the store ends its operations by itself: so it does without the driver's time,
 * whose signal and timer for each command take a tenth of what a request does. A time that the application has set counts.
 */
function withoutTimeout(client: NodeRedisClient): { readonly timeout: 0 } | undefined {
  const isDefault = property(property(client, "_commandOptions"), "timeout") === driversTimeout;
  return isDefault ? { timeout: 0 } : undefined;
}

/** `whole` is the application's client, of which this may be a node. */
function nodeOf(client: NodeRedisClient, whole: NodeRedisClient | NodeRedisCluster): RedisNode {
  const options = withoutTimeout(client);
  return {
    send(command) {
      if (whole.isOpen === false) return Promise.reject(notConnected());
      return client.sendCommand(command, client.isReady ? options : undefined);
    },
    subscribe: (subscription, signal) => subscribe(client.duplicate(), subscription, signal),
  };
}

async function subscribe(
  duplicate: NodeRedisSubscriber,
  subscription: Subscription,
  signal: AbortSignal,
): Promise<Subscriber> {
  // Until the driver has reached the server, or failed to, it has nothing to destroy, and the connection would stay open.
  let isDialing = true;
  const disconnect = () => {
    if (!isDialing && duplicate.isOpen) duplicate.destroy();
  };
  const end = new SubscriptionEnd(disconnect, (error) => subscription.down(error), signal);
  const dialed = () => {
    isDialing = false;
    if (end.isOver) disconnect();
  };
  duplicate.on("connect", dialed);
  duplicate.on("error", (error) => {
    dialed();
    end.fail(error);
  });
  duplicate.on("end", () => end.fail(new Error("The connection of the change feed has ended.")));
  await end.orClose(() => duplicate.connect());
  await end.orClose(() => duplicate.subscribe(subscription.channel, (text) => subscription.message(text)));
  const onPattern = (text: string, channel: string) => subscription.patternMessage(channel, text);
  return {
    addPattern: (pattern) => end.unlessFailed(() => duplicate.pSubscribe(pattern, onPattern)),
    close: () => end.close(),
  };
}
