/** Checks the `origins` option: each origin must be written as browsers write it, or is refused with the reason. */
import { types } from "node:util";
import { invalid } from "../base/arguments.ts";
import { isOrigin, type OriginFunction, type Origins } from "./origin.ts";

/** A list of origins as browsers write them, or a function that returns `true` for those that may connect. */
export type OriginsOption = readonly string[] | OriginFunction;

/** `option`: its name in messages. Throws `INVALID_OPTION`. */
export function originsOf(option: string, origins: unknown): Origins {
  if (origins === undefined) return new Set();
  if (isFunction(origins)) return origins;
  if (!Array.isArray(origins)) {
    const cure = `Write a list, ${option}: ["https://app.example"], or a function of the origin that returns true or false.`;
    throw invalid(`\`${option}\` expects an array of origins, or a function`, origins, cure);
  }
  const checked = new Set<string>();
  for (const [index, origin] of origins.entries()) {
    if (typeof origin === "string" && isPageOrigin(origin)) checked.add(origin);
    else throw invalid(`\`${option}[${index}]\` expects an origin`, origin, cureOf(option, origin));
  }
  return checked;
}

function isFunction(value: unknown): value is OriginFunction {
  return typeof value === "function";
}

function isPageOrigin(origin: string): boolean {
  return isOrigin(origin) && !/^wss?:/.test(origin);
}

const anyCure = 'Write what browsers send: scheme, host and port, such as "https://app.example:8443".';

/** Common mistakes in an origin, and what to write instead; the first match counts. */
const faults: readonly (readonly [pattern: RegExp, cure: string])[] = [
  [
    /^null$/,
    'It can\'t be allowed: browsers write "null" for frames and files of any site. Serve the page from a server, or by a scheme of the app such as capacitor://localhost.',
  ],
  [
    /^file:/i,
    "It can't be allowed: every file on the visitor's disk has it. Serve the page from a server, or by a scheme of the app such as app://-.",
  ],
  [/^wss?:/i, 'It is the address of a socket. Write the origin of the page: "https://app.example".'],
  [/^(?![a-z][a-z\d+.-]*:\/\/[^/])/i, 'It has no scheme or no host. Write both: "https://app.example".'],
  [/@/, 'It has a user or a password. Write "https://app.example" alone.'],
  [/^[^/]*\/\/[^/?#]+\/$/, 'It ends with a slash. Leave that out: "https://app.example".'],
  [/^[^/]*\/\/[^/?#]+[/?#]/, 'It has a path or a query. Leave that out: "https://app.example".'],
  [/[A-Z]/, "It has capital letters. Write it in lower case, as browsers do."],
  [/:(80|443)$/, "It has the port that is the scheme's own. Leave that out, as browsers do."],
  [/[^!-~]/, 'It has letters that browsers write otherwise, such as "https://xn--mller-kva.example".'],
];

/** Quotes nothing of the value, which may contain credentials. */
function cureOf(option: string, origin: unknown): string {
  const cure = `List each origin, or give a function: ${option}: (origin) => /^https:\\/\\/[\\w-]+\\.app\\.example$/.test(origin).`;
  if (types.isRegExp(origin)) return `No pattern is matched in a list. ${cure}`;
  const text = origin === null ? "null" : origin;
  if (typeof text !== "string") return anyCure;
  if (text.includes("*")) return `No wildcard is matched. ${cure}`;
  return faults.find(([pattern]) => pattern.test(text))?.[1] ?? anyCure;
}
