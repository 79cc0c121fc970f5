/**
 * Reads sessions from Redis. A stored session that can't be read (damaged, or a key of another type) is an error when it is
 * read alone, and does not keep others from being read with it.
 *
 * ```ts
 * await reads.one("abc"); // null if there is none
 * await reads.each(["abc", "def"]); // Map { "def" => null }: there is no "abc", and "def" can't be read
 * ```
 */
import { batches } from "../../base/batches.ts";
import type { Clock } from "../../base/clock.ts";
import { isUnreadable, unreadableError } from "../../base/errors.ts";
import type { SessionDocument, StoredSession } from "../../session-store.ts";
import { documentIn, jsonCopy, nullIfUnreadable, parseDocument } from "../common/documents.ts";
import { latest, type RedisConnection, type RedisNode, replyList, replyText } from "./connection.ts";
import type { RedisNames } from "./keys.ts";
import type { Serializer } from "./options.ts";
import * as scripts from "./scripts.ts";

const batchSize = 500;

export class RedisReads {
  readonly #connection: RedisConnection;
  readonly #names: RedisNames;
  readonly #serializer: Serializer;
  readonly #clock: Clock;

  constructor(connection: RedisConnection, names: RedisNames, serializer: Serializer, clock: Clock) {
    this.#connection = connection;
    this.#names = names;
    this.#serializer = serializer;
    this.#clock = clock;
  }

  /** Rejects with `SESSION_UNREADABLE`. */
  one(sid: string): Promise<StoredSession | null> {
    const now = this.#clock.now(); // before the command is sent, so that the deadline is never later than Redis's
    const reply = scripts.run(this.#connection, scripts.readScript, [this.#names.session(sid)], []);
    return reply.then((found) => this.#stored(found, now), ofWrongKind);
  }

  #stored(reply: unknown, now: number): StoredSession | null | Promise<StoredSession> {
    const [text, revision, left] = replyList(reply).map(replyText);
    if (text === undefined || revision === undefined) return null;
    const leftMs = Number(left);
    if (leftMs === 0 || leftMs === -2) return null;
    const expiresAt = leftMs === -1 ? latest : now + leftMs;
    if (this.#serializer === JSON) return { document: parseDocument(text), expiresAt, revision };
    return this.#parsed(text).then((document) => ({ document, expiresAt, revision }));
  }

  /** The stored sessions, in the order of `sids`; null for a session that can't be read. */
  async each(sids: readonly string[]): Promise<Map<string, StoredSession | null>> {
    const found = new Map<string, StoredSession | null>();
    for (const batch of batches(sids, batchSize)) {
      const stored = await Promise.all(batch.map((sid) => this.#oneOfMany(sid)));
      for (const [at, sid] of batch.entries()) {
        const session = stored[at];
        if (session !== undefined) found.set(sid, session);
      }
    }
    return found;
  }

  #oneOfMany(sid: string): Promise<StoredSession | null | undefined> {
    return this.one(sid).then((stored) => stored ?? undefined, nullIfUnreadable);
  }

  async #parsed(text: string): Promise<SessionDocument> {
    try {
      const document = documentIn(await this.#serializer.parse(text));
      jsonCopy(document); // a value that is not JSON would fail later, on a write
      return document;
    } catch (cause) {
      if (isUnreadable(cause)) throw cause;
      throw unreadableError("text that the serializer can't parse", cause);
    }
  }
}

function ofWrongKind(error: unknown): never {
  if (!isOfWrongKind(error)) throw error;
  throw unreadableError("a key that holds a value of another kind (WRONGTYPE)", error);
}

/** The key holds a value of another type than text. Redis 6 reports it inside the script's error. */
export function isOfWrongKind(error: unknown): boolean {
  return error instanceof Error && /\bWRONGTYPE\b/.test(error.message);
}

/** The ids of all stored sessions, by `SCAN` on every master. May or may not include sessions that come or go during it. */
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
