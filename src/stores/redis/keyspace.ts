/**
 * Redis's keyspace events, by which the feed receives the writes of other packages. The store's own writes cause events as
 * well: a message of the store precedes them, so that the feed can leave them out.
 *
 * ```ts
 * const own = new OwnEvents();
 * own.message(text);
 * if (!own.includes("sess:abc", "set")) changed("sess:abc");
 * ```
 */

import { property } from "../../base/shapes.ts";
import { beatMessage, type Message } from "../common/messages.ts";
import { type RedisNode, replyText } from "./connection.ts";

/** Published before a write that is not a change, if keyspace events are on. `FeedLink` ignores it as an unknown beat. */
export const createMark = beatMessage("create");
export const touchMark = beatMessage("touch");

/** Extra events of some servers, which concern neither a session's content nor its life. */
const extraEvents = new Set(["new", "keymiss", "overwritten", "type_changed"]);

export function isNews(event: string): boolean {
  return !extraEvents.has(event);
}

/**
 * Recognises the events of the store's own writes. The message of a write is published in the same atomic step, directly
 * before it, and arrives on the same connection.
 */
export class OwnEvents {
  #expected: readonly string[] = [];
  #key: string | undefined;

  message(message: Message): void {
    this.#key = undefined;
    this.#expected = expectedAfter(message);
  }

  includes(key: string, event: string): boolean {
    const at = this.#expected.indexOf(event);
    const isOwn = at !== -1 && (this.#key === undefined || this.#key === key);
    this.#expected = isOwn ? this.#expected.slice(at + 1) : [];
    this.#key = key;
    return isOwn;
  }
}

function expectedAfter(message: Message): readonly string[] {
  if (message.kind === "change") return message.change.kind === "ended" ? ["del"] : ["set", "expire"];
  if (message.kind !== "beat") return [];
  if (message.beat === "create") return ["set", "expire"];
  return message.beat === "touch" ? ["expire"] : [];
}

/** The pattern of the channels of a database's keys that match `glob`. */
export function keyspacePattern(database: number, glob: string): string {
  return `__keyspace@${database}__:${glob}`;
}

/** The key that the channel of an event names. */
export function keyOfEvent(channel: string): string {
  return channel.slice(channel.indexOf(":") + 1);
}

/** The keyspace events that the server publishes; `all`: all that the store needs. Undefined if it refuses to say. */
export async function keyspaceConfig(node: RedisNode): Promise<{ all: boolean; flags: string } | undefined> {
  const setting = "notify-keyspace-events";
  const reply = await unlessRefused(node.send(["CONFIG", "GET", setting]));
  if (reply === undefined) return undefined;
  const flags = replyText(Array.isArray(reply) ? reply[1] : (mapValue(reply, setting) ?? ""));
  const publishes = (flag: string) => flags.includes("A") || flags.includes(flag);
  return { all: flags.includes("K") && ["g", "$", "x"].every(publishes), flags };
}

/** The database that the client has selected, which its options may not show. Undefined if the server refuses to say. */
export async function selectedDatabase(node: RedisNode): Promise<number | undefined> {
  const reply = await unlessRefused(node.send(["CLIENT", "INFO"]));
  const found = /(?:^| )db=(\d+)/.exec(reply === undefined ? "" : replyText(reply))?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Undefined if the server refuses: the user lacks permission, or the command was renamed or is of a newer release. */
async function unlessRefused(reply: Promise<unknown>): Promise<unknown> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR)\b/.test(error.message)) return undefined;
    throw error;
  }
}

function mapValue(map: unknown, name: string): unknown {
  return map instanceof Map ? map.get(name) : property(map, name);
}
