/** A Redis server that belongs to the tests of one file: they configure it, cut its connections and restart it. */
import { afterAll, beforeAll } from "vitest";
import { startRedis } from "../../../scripts/services/redis.mjs";

type Server = Awaited<ReturnType<typeof startRedis>>;

/** Within a `describe`: runs from before its tests until after them. */
export function ownRedis(extraArgs: () => string[] | Promise<string[]> = () => []): Server {
  let server: Server | undefined;
  const started = () => {
    if (!server) throw new Error("Expected the server to be asked for within a test.");
    return server;
  };
  beforeAll(async () => {
    server = await startRedis({ extraArgs: await extraArgs() });
  });
  afterAll(async () => {
    await server?.close();
  });
  return new Proxy(Object.create(null), { get: (_target, name) => Reflect.get(started(), name) });
}
