import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { SessionKey } from "../session-store.ts";

export type Secret = string | Buffer;

/**
 * A key for one purpose, from a secret. A key object: given the bytes, Node makes one at every call, which takes several
 * times as long as the hash.
 */
export function derivedKey(secret: Secret, purpose: string): KeyObject {
  return createSecretKey(createHmac("sha256", secret).update(purpose).digest());
}

/**
 * Makes session keys. A session's public ids are HMAC-SHA-256 of its id, keyed with each of the application's secrets:
 * readers of logs, rooms or messages can neither read nor guess an id from them (OWASP ASVS 14.2.1, 16.2.5).
 */
export function sessionNames(secrets: readonly Secret[]): (sid: string) => SessionKey {
  const hashKeys = secrets.map((secret) => derivedKey(secret, "socket-session public id"));
  return (sid) => {
    let publicIds: readonly string[] | undefined; // hashed when they are asked for: most requests need none
    const hashed = () => {
      publicIds ??= hashKeys.map((key) =>
        createHmac("sha256", key).update(sid, "utf16le").digest("base64url").slice(0, 22),
      );
      return publicIds;
    };
    // properties of its own, so that a copy has them too
    return {
      sid,
      get publicId() {
        return hashed()[0] ?? "";
      },
      get publicIds() {
        return hashed();
      },
    };
  };
}
