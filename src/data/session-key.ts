import { createHmac } from "node:crypto";
import type { SessionKey } from "../session-store.ts";

export type Secret = string | Buffer;

/**
 * Makes session keys. A session's public ids are HMAC-SHA-256 of its id, keyed with each of the application's secrets:
 * readers of logs, rooms or messages can neither read nor guess an id from them (OWASP ASVS 14.2.1, 16.2.5).
 */
export function sessionNames(secrets: readonly Secret[]): (sid: string) => SessionKey {
  const keys = secrets.map((secret) =>
    createHmac("sha256", secret).update("socket-session public id").digest(),
  );
  const nameOf = (key: Buffer, sid: string) =>
    createHmac("sha256", key).update(sid, "utf16le").digest("base64url").slice(0, 22);
  return (sid) => {
    const publicIds = keys.map((key) => nameOf(key, sid));
    return { sid, publicId: publicIds[0] ?? "", publicIds };
  };
}
