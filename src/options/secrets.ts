/** The secrets that sign the cookie. The most common mistake is an environment variable that is not set. */
import { refusal } from "../base/arguments.ts";
import { shown } from "../base/shown.ts";
import type { Secret } from "../data/session-key.ts";

const fewestCharacters = 16;

/** Prints 32 random bytes as text. */
const command = `node -e "console.log(require('crypto').randomBytes(32).toString('base64url'))"`;

/** Returns `secret` as a list: the first signs, all verify. Throws `INVALID_OPTION`. */
export function secretsOf(secret: unknown): readonly Secret[] {
  const secrets: readonly unknown[] = Array.isArray(secret) ? secret : [secret];
  if (secrets.length > 0 && secrets.every(isSecret)) return secrets;
  const index = secrets.findIndex((one) => !isSecret(one));
  const came = secrets.length === 0 ? "an empty array" : described(secrets[index]);
  const place = Array.isArray(secret) && secrets.length > 0 ? `, as its element ${index}` : "";
  const isUnset = secrets.length > 0 && (secrets[index] === undefined || secrets[index] === "");
  const why = isUnset
    ? "If it comes from the environment, such as SESSION_SECRET, that variable is not set. "
    : "";
  throw refusal(
    "`secret` expects a string or Buffer that is not empty, or an array of them",
    `${came}${place}`,
    `${why}Set one of at least 32 random bytes, the same on every node, such as this prints: ${command}`,
  );
}

/** The warning for a signing secret so short that it can be guessed; undefined if it is long enough. */
export function shortSecret([first = ""]: readonly Secret[]): string | undefined {
  if (first.length >= fewestCharacters) return undefined;
  const unit = typeof first === "string" ? "character" : "byte";
  const size = `${first.length} ${unit}${first.length === 1 ? "" : "s"}`;
  return (
    `\`secret\` has ${size}, and can be guessed: anyone who guesses it can sign a cookie of their own. ` +
    `Set one of at least 32 random bytes, such as this prints: ${command} ` +
    "Give it before the old one, in an array, and nobody is logged out."
  );
}

function isSecret(one: unknown): one is Secret {
  return (typeof one === "string" || Buffer.isBuffer(one)) && one.length > 0;
}

function described(one: unknown): string {
  return Buffer.isBuffer(one) ? "an empty Buffer" : shown(one);
}
