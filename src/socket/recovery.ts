import { createHmac, timingSafeEqual } from "node:crypto";
import { derivedKey, type Secret } from "../data/session-key.ts";

/** What Socket.IO's connection state recovery calls the states of one session's sockets. */
export interface SessionPids {
  /** Binds a random name to the session and to the namespace of its socket. */
  bind(namespace: string, random: string): string;
  /** Whether `pid`, which a client sent, was bound to them, under any of the secrets. */
  owns(namespace: string, pid: string): boolean;
}

/** Longer ones are not hashed. Socket.IO's random names have 20 characters, a hash has 43. */
const maxLength = 100;

/**
 * Binds pids to sessions by HMAC-SHA-256, keyed with each of the application's secrets: the first binds, all verify. The
 * namespace is part of it, as adapters that share a database look a state up by its pid alone: a client could
 * otherwise take its socket of one namespace into another, past the middleware there.
 */
export function sessionPids(secrets: readonly Secret[]): (sid: string) => SessionPids {
  const keys = secrets.map((secret) => derivedKey(secret, "socket-session recovery"));
  return (sid) => {
    const bound = (namespace: string, random: string) =>
      keys.map((key) => {
        const hash = createHmac("sha256", key).update(JSON.stringify([random, namespace, sid]));
        return `${random}.${hash.digest("base64url")}`;
      });
    return {
      bind: (namespace, random) => bound(namespace, random)[0] ?? random,
      owns(namespace, pid) {
        if (pid.length > maxLength) return false;
        const random = pid.slice(0, Math.max(0, pid.lastIndexOf(".")));
        return bound(namespace, random).some((one) => isSame(one, pid));
      },
    };
  };
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
