import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { SessionKey } from "../session-store.ts";

export type Secret = string | Buffer;

/**
 * Makes session keys. A session's public ids are HMAC-SHA-256 of its id, keyed with each of the application's secrets:
 * readers of logs, rooms or messages can neither read nor guess an id from them (OWASP ASVS 14.2.1, 16.2.5).
 */
export function sessionNames(secrets: readonly Secret[]): (sid: string) => SessionKey {
  // A key object: given the bytes, Node makes one at every call, which takes several times as long as the hash.
  const hashKeys = secrets.map((secret) =>
    createSecretKey(createHmac("sha256", secret).update("socket-session public id").digest()),
  );
  return (sid) => new HashedKey(sid, hashKeys);
}

/** Computes the public ids when they are asked for: most requests need none. */
class HashedKey implements SessionKey {
  readonly sid: string;
  readonly #hashKeys: readonly KeyObject[];
  #publicIds: readonly string[] | undefined;

  constructor(sid: string, hashKeys: readonly KeyObject[]) {
    this.sid = sid;
    this.#hashKeys = hashKeys;
  }

  get publicIds(): readonly string[] {
    this.#publicIds ??= this.#hashKeys.map((key) =>
      createHmac("sha256", key).update(this.sid, "utf16le").digest("base64url").slice(0, 22),
    );
    return this.#publicIds;
  }

  get publicId(): string {
    return this.publicIds[0] ?? "";
  }
}
