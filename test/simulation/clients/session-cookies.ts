/** The session cookie, as express-session signs it. */
import { createHmac } from "node:crypto";

const cookieName = "connect.sid";
export const secret = "a secret of the simulation, which protects nothing at all";

export function cookieOf(sid: string): string {
  const signature = createHmac("sha256", secret).update(sid).digest("base64").replace(/=+$/, "");
  return `${cookieName}=${encodeURIComponent(`s:${sid}.${signature}`)}`;
}

/** As a forger makes it, who does not know the secret. */
export function forgedCookieOf(sid: string): string {
  return `${cookieName}=${encodeURIComponent(`s:${sid}.${"A".repeat(43)}`)}`;
}

/** The session's id, from the head of an answer that sets the cookie. */
export function sidOf(head: string): string | undefined {
  const value = /^set-cookie: connect\.sid=([^;\r\n]*)/im.exec(head)?.[1];
  if (value === undefined) return undefined;
  const signed = decodeURIComponent(value);
  return signed.slice(2, signed.lastIndexOf("."));
}
