/**
 * Describes refused values in messages. Secrets end up in wrong places, such as a session id where options are
 * expected, and messages are logged. So values are described, not quoted.
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

/**
 * For choices from a list, and numbers of milliseconds, seconds or bytes: shows numbers and short words as they are.
 */
export function shownChoice(came: unknown): string {
  if (typeof came === "string" && word.test(came)) return JSON.stringify(came);
  return typeof came === "number" ? String(came) : shown(came);
}

/** An option by its name; by its length if that is too long for a name, or not printable ASCII. */
export function shownOption(name: string): string {
  const isName = name.length <= maxNameLength && /^[ -~]*$/.test(name);
  return isName ? `option \`${name}\`` : `option with a name of ${characters(name)}`;
}

/** Control characters (JSON escapes only the first 32), line and paragraph separators, and bidirectional controls. */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Escapes control characters and changes of text direction, as in JSON. */
export function onOneLine(text: string): string {
  return text.replace(unsafe, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A name that a client may have chosen: quoted, and on one line. */
export function shownName(name: string): string {
  return onOneLine(JSON.stringify(name));
}

/** A property as in code: `.name`, or `["a name"]`. */
export function shownMember(key: string): string {
  return /^[\w$]+$/.test(key) ? `.${shortKey(key)}` : `[${shownKey(key)}]`;
}

const maxKeyLength = 60;

/** A session's key for messages, shortened: clients may send keys of any length. */
export function shownKey(key: string): string {
  return shownName(shortKey(key));
}

function shortKey(key: string): string {
  return key.length > maxKeyLength ? `${key.slice(0, maxKeyLength)}…` : key;
}

function characters({ length }: string): string {
  return length === 1 ? "1 character" : `${length} characters`;
}

/** Never shows the contents, which may be secret. Inspecting a proxy or a getter may throw. */
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
