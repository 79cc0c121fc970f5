/**
 * What messages show of a value that was refused. Secrets are given in wrong places, a session's id where options are
 * expected or a database's address where its client is, and messages are logged: so values are described, not quoted.
 */

const maxNameLength = 24;
const word = /^[\w:-]{0,16}$/;
const className = /^[\w$]{1,64}$/;

/** By its type, and by its class or length. */
export function shown(came: unknown): string {
  if (came === undefined || came === null || typeof came === "boolean") return String(came);
  if (typeof came === "object") return described(came);
  if (typeof came !== "string") return `a ${typeof came}`;
  return came === "" ? "an empty string" : `a string of ${characters(came)}`;
}

/** Of what is chosen from a list, or is a number of milliseconds, seconds or bytes: numbers and short words as they are. */
export function shownChoice(came: unknown): string {
  if (typeof came === "string" && word.test(came)) return JSON.stringify(came);
  return typeof came === "number" ? String(came) : shown(came);
}

/** An option by its name, unless that is too long for one, or no text of one line. */
export function shownOption(name: string): string {
  const isName = name.length <= maxNameLength && /^[ -~]*$/.test(name);
  return isName ? `option \`${name}\`` : `option with a name of ${characters(name)}`;
}

/** Controls, of which JSON escapes the first 32 alone; separators of lines and paragraphs; what turns text around. */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * A name that may be a client's choice: quoted, on one line, with nothing in it that a terminal obeys, or that changes the
 * direction in which a log is read.
 */
export function shownName(name: string): string {
  const escaped = (one: string) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(name).replace(unsafe, escaped);
}

/** A property as code names it: `.name`, or `["a name"]`. */
export function shownMember(key: string): string {
  return /^[\w$]+$/.test(key) ? `.${shortKey(key)}` : `[${shownKey(key)}]`;
}

const maxKeyLength = 60;

/** A key of a session as messages name it: what clients send may have become a key of any length. */
export function shownKey(key: string): string {
  return shownName(shortKey(key));
}

function shortKey(key: string): string {
  return key.length > maxKeyLength ? `${key.slice(0, maxKeyLength)}…` : key;
}

function characters({ length }: string): string {
  return length === 1 ? "1 character" : `${length} characters`;
}

/** Never by what the object holds, which may be anybody's. Asking may throw: that is a proxy, or a getter. */
function described(value: object): string {
  try {
    if (Array.isArray(value)) return "an array";
    const type: unknown = Object.getPrototypeOf(value)?.constructor;
    const name: unknown = typeof type === "function" ? type.name : "";
    return `an object of ${typeof name === "string" && className.test(name) ? name : "no class"}`;
  } catch {
    return "an object";
  }
}
