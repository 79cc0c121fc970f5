/**
 * The Lua scripts of the store, as JavaScript of the same meaning, found by their hash: one that was changed, and not
 * here, is unknown. Read them beside `src/stores/redis/scripts.ts`.
 */
import { createHash } from "node:crypto";
import { latest } from "../../../../src/stores/redis/connection.ts";
import * as scripts from "../../../../src/stores/redis/scripts.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Reply } from "./reply.ts";

/** The operations that a script may use. */
interface ScriptContext {
  readonly keyspace: Keyspace;
  publish(channel: string, text: string): void;
}

export type ScriptRun = (context: ScriptContext, keys: readonly string[], args: readonly string[]) => Reply;

export function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** KEYS and ARGV count from 1. */
const at = (list: readonly string[], index: number): string => list.at(index) ?? "";

function read({ keyspace }: ScriptContext, [key = ""]: readonly string[]): Reply {
  const text = keyspace.get(key);
  return text === undefined ? [] : [text, sha1(text), String(keyspace.pttl(key))];
}

/** -2 if there is none. */
function lifeTime(keyspace: Keyspace, key: string): number {
  const left = keyspace.pttl(key);
  return left === -1 ? Number.POSITIVE_INFINITY : left;
}

function enter(keyspace: Keyspace, keys: readonly string[], args: readonly string[], life: number | "keep") {
  if (keys.length === 1) return;
  const [expires, since] = [at(keys, -2), at(keys, -1)];
  const [id, now, slack] = [at(args, -4), Number(at(args, -3)), Number(at(args, -2))];
  const isNew = at(args, -1) !== "";
  const left = life === "keep" ? lifeTime(keyspace, at(keys, 0)) : life;
  const known = keyspace.zscore(expires, id);
  if (known !== undefined && !isNew && known >= Math.min(now + left + scripts.marginMs, latest)) return;
  const members = keyspace.zrange(expires).filter(({ score }) => score <= now);
  const over = members.slice(0, 1000).map(({ member }) => member);
  if (over.length > 0) {
    keyspace.zrem(expires, over);
    keyspace.hdel(since, over);
  }
  const ends = Math.min(now + left + slack, latest);
  keyspace.zadd(expires, Math.round(ends), id);
  if (isNew) keyspace.hdel(since, [id]);
  keyspace.hsetnx(since, id, at(args, -3));
  const last = keyspace.zrange(expires).at(-1)?.score ?? ends;
  const stays = Math.round(Math.max(last - now, 1));
  keyspace.pexpire(expires, stays);
  keyspace.pexpire(since, stays);
}

const create: ScriptRun = ({ keyspace, publish }, keys, args) => {
  const [key, life] = [at(keys, 0), Number(at(args, 1))];
  if (keyspace.exists(key)) return 0;
  enter(keyspace, keys, args, life);
  if (life <= 0) return 1;
  if (at(args, 3) !== "") publish(at(args, 2), at(args, 3));
  keyspace.set(key, at(args, 0), life);
  return 1;
};

const replace: ScriptRun = ({ keyspace, publish }, keys, args) => {
  const key = at(keys, 0);
  const text = keyspace.get(key);
  if (text === undefined || sha1(text) !== at(args, 0)) return 0;
  const life = at(args, 2) === "keep" ? "keep" : Number(at(args, 2));
  enter(keyspace, keys, args, life);
  publish(at(args, 3), at(args, 4));
  if (life === "keep" || life > 0) keyspace.set(key, at(args, 1), life);
  else keyspace.del(key);
  return 1;
};

const touch: ScriptRun = ({ keyspace, publish }, keys, args) => {
  const [key, life] = [at(keys, 0), Number(at(args, 0))];
  const left = lifeTime(keyspace, key);
  if (left === -2) return 0;
  enter(keyspace, keys, args, Math.max(left, life));
  if (life <= left) return 1;
  if (at(args, 2) !== "") publish(at(args, 1), at(args, 2));
  keyspace.pexpire(key, life);
  return 1;
};

const add: ScriptRun = ({ keyspace }, keys, args) => {
  enter(keyspace, keys, args, Number(at(args, 0)));
  return 1;
};

const destroy: ScriptRun = ({ keyspace, publish }, [key = ""], args) => {
  if (!keyspace.exists(key)) return 0;
  publish(at(args, 0), at(args, 1));
  keyspace.del(key);
  return 1;
};

const putTicket: ScriptRun = ({ keyspace }, [key = ""], args) => {
  keyspace.hsetnx(key, "value", at(args, 0));
  keyspace.pexpire(key, Number(at(args, 1)));
  return 1;
};

const takeTicket: ScriptRun = ({ keyspace }, [key = ""]) => {
  const value = keyspace.hget(key, "value") ?? null;
  keyspace.del(key);
  return value;
};

const list: ScriptRun = ({ keyspace }, [expires = "", since = ""], [now = ""]) =>
  keyspace
    .zrange(expires)
    .filter(({ score }) => score > Number(now))
    .flatMap(({ member }) => [member, keyspace.hget(since, member) ?? now]);

const remove: ScriptRun = ({ keyspace }, [expires = "", since = "", ...sessions], ids) => {
  const gone = ids.filter((_id, index) => !keyspace.exists(sessions[index] ?? ""));
  if (gone.length === 0) return 0;
  keyspace.zrem(expires, gone);
  keyspace.hdel(since, gone);
  return 1;
};

const runsBySha = new Map<string, ScriptRun>([
  [scripts.readScript.sha, read],
  [scripts.createScript.sha, create],
  [scripts.replaceScript.sha, replace],
  [scripts.touchScript.sha, touch],
  [scripts.addScript.sha, add],
  [scripts.destroyScript.sha, destroy],
  [scripts.putTicketScript.sha, putTicket],
  [scripts.takeTicketScript.sha, takeTicket],
  [scripts.listScript.sha, list],
  [scripts.removeScript.sha, remove],
]);

export function scriptOf(sha: string): ScriptRun | undefined {
  return runsBySha.get(sha);
}

export function isRead(sha: string): boolean {
  return sha === scripts.readScript.sha;
}
