import { RedisStore } from "connect-redis";
import session from "express-session";
import { Redis } from "ioredis";
import { createClient, defineScript } from "redis";
import { loadLibrary } from "../run/library.ts";
import type { StoreKind } from "./store.ts";

const kind = { service: "redis", address: "redis" } as const;

const replaceScript = defineScript({
  SCRIPT: `if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("PUBLISH", ARGV[3], KEYS[1])
redis.call("SET", KEYS[1], ARGV[2], "KEEPTTL")
return 1`,
  NUMBER_OF_KEYS: 1,
  parseCommand(parser, key: string, ...args: [expected: string, value: string, channel: string]) {
    parser.pushKey(key);
    parser.push(...args);
  },
  transformReply: (reply: unknown) => reply,
});

/** A lost connection is opened again by the client. */
const ignored = () => {};

export const redis: StoreKind = {
  ...kind,
  name: "redis",
  title: "Redis",
  async open({ url, place }) {
    const client = await createClient({ url, scripts: { replace: replaceScript } })
      .on("error", ignored)
      .connect();
    const prefix = `${place}:`;
    const subscriber = client.duplicate().on("error", ignored);
    const store = new RedisStore({ client, prefix });
    return {
      forExpressSession: async () => store,
      forLibrary: async (checkout) => (await loadLibrary(checkout, "./redis")).redisStore({ client, prefix }),
      read: (id) => client.get(`${prefix}${id}`),
      replace: (id, expected, value) => client.replace(`${prefix}${id}`, expected, value, `${prefix}changes`),
      async changes(listener) {
        await subscriber.connect();
        await subscriber.subscribe(`${prefix}changes`, (key) => listener(key.slice(prefix.length)));
      },
      async close() {
        client.destroy();
        if (subscriber.isOpen) subscriber.destroy();
      },
    };
  },
};

/** connect-redis takes node-redis only: the peer is its MemoryStore. */
export const ioredis: StoreKind = {
  ...kind,
  name: "ioredis",
  title: "Redis, ioredis",
  peer: "redis",
  async open({ url, place }) {
    const client = new Redis(url).on("error", ignored);
    const prefix = `${place}:`;
    const store = new session.MemoryStore();
    return {
      forExpressSession: async () => store,
      forLibrary: async (checkout) => (await loadLibrary(checkout, "./redis")).redisStore({ client, prefix }),
      read: (id) => client.get(`${prefix}${id}`),
      close: async () => client.disconnect(),
    };
  },
};
