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

/** HMAC-SHA-256 of a text, keyed with each of the application's secrets, for one purpose. */
export function keyedHashes(secrets: readonly Secret[], purpose: string): (text: string) => readonly string[] {
  const keys = secrets.map((secret) => derivedKey(secret, purpose));
  return (text) =>
    keys.map((key) => createHmac("sha256", key).update(text, "utf16le").digest("base64url").slice(0, 22));
}

/** A visitor's requests and sockets come close together; to hash an id each time would be a twentieth of what a write costs. */
const maxRecent = 10_000;

/**
 * Makes session keys. A session's public ids are keyed hashes of its id: readers of logs, rooms or messages can neither
 * read nor guess an id from them (OWASP ASVS 14.2.1, 16.2.5).
 */
export function sessionNames(secrets: readonly Secret[]): (sid: string) => SessionKey {
  const hashesOf = keyedHashes(secrets, "socket-session public id");
  const recent = new Map<string, SessionKey>();
  return (sid) => {
    const known = recent.get(sid);
    if (known) return known;
    if (recent.size >= maxRecent) recent.clear();
    const key = keyOf(JSON.parse(JSON.stringify(sid))); // a copy: a part of a `Cookie` header keeps all of it in memory
    recent.set(key.sid, key);
    return key;
  };

  function keyOf(sid: string): SessionKey {
    let publicIds: readonly string[] | undefined; // hashed when they are asked for: most requests need none
    const hashed = () => {
      publicIds ??= hashesOf(sid);
      return publicIds;
    };
    // properties of its own, so that a copy has them too
    return Object.freeze({
      sid,
      get publicId() {
        return hashed()[0] ?? "";
      },
      get publicIds() {
        return hashed();
      },
    });
  }
}
