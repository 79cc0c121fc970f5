/**
 * The Redis store's writes, each a Lua script: one round trip, one atomic step. The first key is the session's. With the two
 * keys of a user's index, a save also indexes the session in the same step. In a Cluster those may be in another slot, and
 * `addScript` runs first.
 *
 * A script publishes directly before it writes the session. If keyspace events are on, its message precedes the events of
 * the same step, so that a feed that receives both can distinguish them from another writer's events.
 *
 * ```ts
 * await run(connection, readScript, ["sess:abc"], []);
 * await run(connection, touchScript, ["sess:abc", expires, since], [lifeTime, channel, mark, id, now, slack]);
 * ```
 */
import { hash } from "node:crypto";
import { SocketSessionError } from "../../base/errors.ts";
import { latest, type RedisConnection, replyText } from "./connection.ts";

export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: hash("sha1", text) };
}

/** Runs the script by its hash, or sends its text if the server does not have it. */
export async function run(
  connection: RedisConnection,
  { text, sha }: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  const [first = ""] = keys;
  const command = ["EVALSHA", sha, String(keys.length)].concat(keys, args);
  try {
    return await connection.send(first, command);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return connection.send(first, ["EVAL", text, ...command.slice(2)]);
  }
}

/**
 * Whether the script wrote. Rejects if that is unknown: a script that was sent twice mistakes its own write for another's,
 * and a caller that retries would write twice. A script that creates may, sent twice, store a session again that has ended
 * since: this then calls `undo` and rejects.
 */
export async function runOnce(
  connection: RedisConnection,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  undo?: () => Promise<unknown>,
): Promise<boolean> {
  const isLost = connection.watchForLoss && (await connection.watchForLoss());
  const isDone = isOne(await run(connection, script, keys, args));
  if (!isLost?.() || (isDone && !undo)) return isDone;
  if (isDone) await undo?.();
  throw new SocketSessionError(
    "STORE_FAILED",
    "Expected an answer of Redis, but the connection was lost, and the client may have sent the write a second time: " +
      `whether the first took effect is not known. ${undo ? "Make" : "Read"} the session again.`,
  );
}

/**
 * Whether the script ended the session. If it may have been sent twice and finds no session, the first sending is assumed
 * to have ended it.
 */
export async function runEnding(
  connection: RedisConnection,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<boolean> {
  const isLost = connection.watchForLoss && (await connection.watchForLoss());
  return isOne(await run(connection, script, keys, args)) || (isLost?.() ?? false);
}

/** The revision of a session is the hash of its text, since the value keeps connect-redis's format. */
export function revisionOf(text: string): string {
  return hash("sha1", text);
}

export const isOne = (reply: unknown): boolean => replyText(reply) === "1";

/** Returns the text, its revision and the remaining life time (-1: no end); nothing if there is no session. */
export const readScript = script(`
local text = redis.call('GET', KEYS[1])
if not text then return {} end
return { text, redis.sha1hex(text), tostring(redis.call('PTTL', KEYS[1])) }`);

/** The least time by which an entry of the index outlasts its session, since the clocks of nodes may differ. */
export const marginMs = 3_600_000;

/**
 * `lifeTime()` returns the session's remaining life time. `enter(left)` indexes a session that will live for `left` ms, or
 * `'keep'`. It runs before the session is written, since a failing script undoes nothing. The index is in the last KEYS:
 * expires, since; without them it does nothing. The last ARGV: id, now, slack, and "new" if the user is new, so that `since`
 * starts now. Any other entry that lasts long enough stays as it is. Adding one removes some expired entries; the keys expire with their last entry.
 */
const entering = `
local function lifeTime()
  local left = redis.call('PTTL', KEYS[1])
  return left == -1 and math.huge or left
end
local function enter(left)
  if #KEYS == 1 then return end
  local expires, since = KEYS[#KEYS - 1], KEYS[#KEYS]
  local id, now, slack, new = unpack(ARGV, #ARGV - 3)
  if left == 'keep' then left = lifeTime() end
  local known = redis.call('ZSCORE', expires, id)
  if known and new == '' and tonumber(known) >= math.min(now + left + ${marginMs}, ${latest}) then return end
  local over = redis.call('ZRANGEBYSCORE', expires, '-inf', now, 'LIMIT', 0, 1000)
  if #over > 0 then
    redis.call('ZREM', expires, unpack(over))
    redis.call('HDEL', since, unpack(over))
  end
  redis.call('ZADD', expires, string.format('%.0f', math.min(now + left + slack, ${latest})), id)
  if new ~= '' then redis.call('HDEL', since, id) end
  redis.call('HSETNX', since, id, now)
  local last = redis.call('ZREVRANGE', expires, 0, 0, 'WITHSCORES')[2]
  local stays = string.format('%.0f', math.max(last - now, 1))
  redis.call('PEXPIRE', expires, stays)
  redis.call('PEXPIRE', since, stays)
end`;

/** ARGV: text, life time in ms, channel, and the message, or "" for none. A life time of 0 or less stores nothing. */
export const createScript = script(`${entering}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
enter(ARGV[2])
if tonumber(ARGV[2]) <= 0 then return 1 end
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

/** ARGV: expected revision, text, life time in ms or "keep", channel, message. */
export const replaceScript = script(`${entering}
local text = redis.call('GET', KEYS[1])
if not text or redis.sha1hex(text) ~= ARGV[1] then return 0 end
enter(ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[5])
if ARGV[3] == 'keep' then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
elseif tonumber(ARGV[3]) <= 0 then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`);

/** ARGV: life time in ms, channel, and the message, or "" for none. */
export const touchScript = script(`${entering}
local left = lifeTime()
if left == -2 then return 0 end
enter(math.max(left, ARGV[1]))
if tonumber(ARGV[1]) <= left then return 1 end
if ARGV[3] ~= '' then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`);

/** Writes the entry alone. ARGV: life time in ms, and those of `enter`. */
export const addScript = script(`${entering}
enter(ARGV[1])
return 1`);

/** ARGV: channel, message. */
export const destroyScript = script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('PUBLISH', ARGV[1], ARGV[2])
redis.call('DEL', KEYS[1])
return 1`);

/**
 * The key of a ticket holds a hash, not a string: with a prefix that matches it, connect-redis's `all()` would take a
 * string for a session. ARGV: value, life time in ms; one of 0 or less stores nothing.
 */
export const putTicketScript = script(`
redis.call('HSETNX', KEYS[1], 'value', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/** Returns the value, or nothing. */
export const takeTicketScript = script(`
local value = redis.call('HGET', KEYS[1], 'value')
redis.call('DEL', KEYS[1])
return value`);

/** KEYS of an index: expires, since. ARGV: now. Returns each id that has not expired, and when it became the user's. */
export const listScript = script(`
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf')) do
  found[#found + 1] = id
  found[#found + 1] = redis.call('HGET', KEYS[2], id) or ARGV[1]
end
return found`);

/**
 * Removes entries, except those whose session exists. KEYS of an index: expires, since; then the session of each id, unless
 * a Cluster may have it in another slot. ARGV: ids.
 */
export const removeScript = script(`
local gone = {}
for at, id in ipairs(ARGV) do
  local session = KEYS[at + 2]
  if not session or redis.call('EXISTS', session) == 0 then gone[#gone + 1] = id end
end
if #gone == 0 then return 0 end
redis.call('ZREM', KEYS[1], unpack(gone))
redis.call('HDEL', KEYS[2], unpack(gone))
return 1`);
