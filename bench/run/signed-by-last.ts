import { sign, unsign } from "cookie-signature";

/** A cookie that was signed by the first secret, as one that was signed before the secret changed. */
export function signedByLast(cookie: string, secrets: readonly string[]): string {
  const [name, value = ""] = cookie.split("=");
  const [first = "", last = first] = [secrets[0], secrets.at(-1)];
  const id = unsign(decodeURIComponent(value).slice(2), first);
  if (id === false) throw new Error("Expected a cookie that the first secret has signed.");
  return `${name}=${encodeURIComponent(`s:${sign(id, last)}`)}`;
}
