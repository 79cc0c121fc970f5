import { parse } from "cookie";
import { unsign } from "cookie-signature";
import type { Secret } from "../data/session-key.ts";

export type SessionCookie =
  | { readonly kind: "none" }
  | { readonly kind: "invalid" }
  | { readonly kind: "signed"; readonly sid: string };

/**
 * The session id in a `Cookie` header, exactly as `express-session` finds it: with the same parser, in the first cookie
 * of that name, by the first secret that matches. Never throws, whatever the header contains. `raw`: see `cookieValue`.
 */
export function verifiedCookie(raw: string | undefined, secrets: readonly Secret[]): SessionCookie {
  if (!raw) return { kind: "none" };
  if (!raw.startsWith("s:")) return { kind: "invalid" };
  for (const secret of secrets) {
    const sid = unsign(raw.slice(2), secret as string);
    if (sid !== false && sid !== "") return { kind: "signed", sid };
  }
  return { kind: "invalid" };
}

/** The cookie's value as it was sent, signature included. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  return header ? parse(header)[name] : undefined;
}
