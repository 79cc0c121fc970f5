/** The cookie of a visitor, seen by one who knows the secrets. */
import { sign, unsign } from "cookie-signature";

/** The id of the session. */
export function idOf(cookie: string, [first = ""]: readonly string[]): string {
  const [, value = ""] = cookie.split("=");
  const id = unsign(decodeURIComponent(value).slice(2), first);
  if (id === false) throw new Error("Expected a cookie that the first secret has signed.");
  return id;
}

/** As one that was signed before the secret changed. */
export function signedByLast(cookie: string, secrets: readonly string[]): string {
  const [name] = cookie.split("=");
  return `${name}=${encodeURIComponent(`s:${sign(idOf(cookie, secrets), secrets.at(-1) ?? "")}`)}`;
}
