export type DatabaseKind = "redis" | "postgres" | "mongodb";

/** The address of a database. `url` is a secret, as it may contain a password; `shown` may be printed. */
export interface DatabaseUrl {
  readonly kind: DatabaseKind;
  readonly url: string;
  readonly shown: string;
}

const kindsByScheme: ReadonlyMap<string, DatabaseKind> = new Map([
  ["redis", "redis"],
  ["rediss", "redis"],
  ["postgres", "postgres"],
  ["postgresql", "postgres"],
  ["mongodb", "mongodb"],
  ["mongodb+srv", "mongodb"],
]);

/** The schemes, for a message. */
export const databaseSchemes = [...kindsByScheme.keys()].map((scheme) => `${scheme}://…`);

/** Undefined if it is not the address of a supported database. */
export function readDatabaseUrl(text: string): DatabaseUrl | undefined {
  const [, scheme = ""] = /^([a-z+]+):\/\//.exec(text) ?? [];
  const kind = kindsByScheme.get(scheme);
  return kind && { kind, url: text, shown: shownOf(scheme, text) };
}

/**
 * Shows scheme, hosts and database, but no user, password or parameters (which may contain a password). An ambiguous
 * address, such as one with an unescaped `@` or `/` in its password, shows only its scheme.
 */
function shownOf(scheme: string, text: string): string {
  const parts = /^[a-z+]+:\/\/(?:[^@/?#]*@)?([\w.\-:,[\]%]*)(?:\/([\w.-]*))?(?:[?#][^@]*)?$/.exec(text);
  if (!parts) return `${scheme}://…`;
  const [, hosts = "", database = ""] = parts;
  return `${scheme}://${hosts}${database && `/${database}`}`;
}

/** The message of a driver's error, without the secret parts of `url`. */
export function reasonOf(error: unknown, { url, shown }: DatabaseUrl): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message || code || error.name : String(error);
  const isPlain = !shown.endsWith("…") && secretsIn(url).every((secret) => !message.includes(secret));
  return isPlain ? message : code || "its driver's message may hold a password, and is not shown";
}

function secretsIn(url: string): string[] {
  const [, password = ""] = /^[a-z+]+:\/\/[^:@/]*:([^@]*)@/.exec(url) ?? [];
  const [, parameters = ""] = /\?(.*)$/.exec(url) ?? [];
  return [url, password, decoded(password), parameters].filter((one) => one !== "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that escapes nothing stays as it is
  }
}
