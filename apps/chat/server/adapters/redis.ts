import { createAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { DisconnectsClientError } from "redis";
import { connectRedis } from "../connect-redis.ts";
import type { DatabaseUrl } from "../database-url.ts";
import { noteOf, type OpenAdapter, tellLost, variable } from "./opened.ts";

/** Messages go through a stream, so that a node that was cut off for a while receives them later. */
export async function openRedisStreams(address: DatabaseUrl): Promise<OpenAdapter> {
  const client = await connect(address);
  // With the default of 5 s, a read under way would delay the end of the process that long.
  const adapter = createStreamsAdapter(client, { blockTimeInMs: 1_000 });
  return { adapter, note: noteOf("redis-streams"), close: async () => client.destroy() };
}

export async function openRedis(address: DatabaseUrl): Promise<OpenAdapter> {
  const [publisher, subscriber] = [await connect(address), await connect(address)];
  const close = async () => {
    publisher.destroy();
    subscriber.destroy();
  };
  return { adapter: createAdapter(publisher, subscriber), note: noteOf("redis"), close };
}

async function connect(address: DatabaseUrl) {
  const client = await connectRedis(address, variable);
  lookAfter(client, (error) => {
    // this error means that the chat itself has closed the client
    if (!(error instanceof DisconnectsClientError)) tellLost(address, error);
  });
  return client;
}

/**
 * The adapters drop the promises of what they publish and subscribe to: if Redis goes down, a rejection would end the
 * process. So the clients that they get, and the duplicates that they make, are guarded.
 */
function lookAfter(client: object, tell: (error: unknown) => void): void {
  for (const name of ["publish", "subscribe", "pSubscribe", "unsubscribe", "pUnsubscribe"]) {
    const method = Reflect.get(client, name);
    Reflect.set(client, name, (...args: unknown[]) => {
      const done: Promise<unknown> = Reflect.apply(method, client, args);
      done.catch(tell);
      return done;
    });
  }
  const duplicate = Reflect.get(client, "duplicate");
  Reflect.set(client, "duplicate", () => {
    const other: unknown = Reflect.apply(duplicate, client, []);
    if (typeof other === "object" && other !== null) lookAfter(other, tell);
    return other;
  });
}
