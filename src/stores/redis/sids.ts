/**
 * Which sessions Redis holds, found by `SCAN` on every server that has keys. One that comes or goes meanwhile may be among
 * them or not.
 *
 * ```ts
 * for (const sid of await storedSids(connection, names, 100)) …
 * ```
 */
import { type RedisConnection, type RedisNode, replyList, replyText } from "./connection.ts";
import type { RedisNames } from "./keys.ts";

export async function storedSids(
  connection: RedisConnection,
  names: RedisNames,
  scanCount: number,
): Promise<Set<string>> {
  const sids = new Set<string>(); // a key may be scanned twice
  const scan = async (node: RedisNode) => {
    let cursor = "0";
    do {
      const command = ["SCAN", cursor, "MATCH", names.sessions, "COUNT", String(scanCount)];
      const [next, keys] = replyList(await node.send(command));
      for (const key of replyList(keys)) {
        const sid = names.sidOf(replyText(key));
        if (sid !== undefined) sids.add(sid);
      }
      cursor = replyText(next);
    } while (cursor !== "0");
  };
  await Promise.all((await connection.masters()).map(scan));
  return sids;
}
