import { createClient } from "redis";
import type { DatabaseUrl } from "./database-url.ts";
import { complainer, connectTimeoutMs, reach } from "./reach.ts";

/** The longest pause between two attempts to reach a Redis that went down. */
const mostRetryMs = 2_000;

/** A client, closed by its owner. It reconnects by itself, but not before it was connected once. */
export async function connectRedis(address: DatabaseUrl, variable: string) {
  return reach(address, variable, async () => {
    let hasBeenThere = false;
    const client = createClient({
      url: address.url,
      socket: {
        connectTimeout: connectTimeoutMs,
        reconnectStrategy: (retries, cause) =>
          hasBeenThere ? Math.min(50 * 2 ** Math.min(retries, 10), mostRetryMs) : cause,
      },
    });
    const complain = complainer(address);
    client.on("error", (error) => {
      if (hasBeenThere) complain(error);
    });
    await client.connect();
    hasBeenThere = true;
    return client;
  });
}
