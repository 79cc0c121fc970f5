import { RedisStore } from "connect-redis";
import session from "express-session";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { loadLibrary } from "../run/library.ts";
import type { StoreKind } from "./store.ts";

const kind = { service: "redis", address: "redis" } as const;

/** A lost connection is opened again by the client. */
const ignored = () => {};

export const redis: StoreKind = {
  ...kind,
  name: "redis",
  title: "Redis",
  async open({ url, place }) {
    const client = await createClient({ url }).on("error", ignored).connect();
    const prefix = `${place}:`;
    const store = new RedisStore({ client, prefix });
    return {
      forExpressSession: async () => store,
      forLibrary: async (checkout) => (await loadLibrary(checkout, "./redis")).redisStore({ client, prefix }),
      read: (id) => client.get(`${prefix}${id}`),
      close: async () => client.destroy(),
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
