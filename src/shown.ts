/**
 * What messages show of a value that was refused. Secrets are given in wrong places, a session's id where options are
 * expected or a database's address where its client is, and messages are logged: so values are described, not quoted.
 */

const longestName = 24;
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

/** An option by its name, unless that is too long for one. */
export function shownOption(name: string): string {
  return name.length <= longestName ? `option \`${name}\`` : `option with a name of ${characters(name)}`;
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
