/** Keys of sessions: the public ids depend on the id alone, under a new and an old secret. */
import { createHmac } from "node:crypto";
import type { SessionKey } from "../../session-store.ts";

export function keyOf(sid: string): SessionKey {
  const under = (secret: string) =>
    createHmac("sha256", secret).update(Buffer.from(sid, "utf16le")).digest("hex");
  const publicId = under("new");
  return { sid, publicId, publicIds: [publicId, under("old")] };
}
