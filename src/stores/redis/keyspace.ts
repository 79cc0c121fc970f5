/**
 * Redis's own events of its keys, by which the writes of other packages are heard. Our own writes cause them as well:
 * each is preceded by a message of ours, and so left out.
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

/** Published before a write that is no news, where keyspace events are on. To all others a beat that nobody waits for. */
export const createMark = beatMessage("create");
export const touchMark = beatMessage("touch");

/** Of no session's content or life: what only some servers tell, besides the event that counts. */
const noNews = new Set(["new", "keymiss", "overwritten", "type_changed"]);

export function isNews(event: string): boolean {
  return !noNews.has(event);
}

/**
 * Which events are of the step whose message has just come. A message is published in the same atomic step as its write
 * and directly before it, and comes by the same connection.
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

/** The pattern of a database's events whose keys match `glob`. */
export function keyspacePattern(database: number, glob: string): string {
  return `__keyspace@${database}__:${glob}`;
}

/** The key that the channel of an event names. */
export function keyOfEvent(channel: string): string {
  return channel.slice(channel.indexOf(":") + 1);
}

/** What the server says it tells of its keys: `all` we need, or what else; undefined if it does not let us ask. */
export async function keyspaceConfig(node: RedisNode): Promise<{ all: boolean; flags: string } | undefined> {
  const setting = "notify-keyspace-events";
  const reply = await unlessRefused(node.send(["CONFIG", "GET", setting]));
  if (reply === undefined) return undefined;
  const flags = replyText(Array.isArray(reply) ? reply[1] : (mapValue(reply, setting) ?? ""));
  const tells = (flag: string) => flags.includes("A") || flags.includes(flag);
  return { all: flags.includes("K") && ["g", "$", "x"].every(tells), flags };
}

/** The database that the client has selected, which its options may not say; undefined if we may not ask. */
export async function selectedDatabase(node: RedisNode): Promise<number | undefined> {
  const reply = await unlessRefused(node.send(["CLIENT", "INFO"]));
  const found = /(?:^| )db=(\d+)/.exec(reply === undefined ? "" : replyText(reply))?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Undefined if the server refuses to answer: the user may not, or the command was renamed or is of a newer release. */
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
