export type DatabaseKind = "redis" | "postgres" | "mongodb";

/** Where a database is: `url` is a secret, for it may hold a password; `shown` is what may be printed of it. */
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

/** Undefined for what is no address of a database that is known here. */
export function readDatabaseUrl(text: string): DatabaseUrl | undefined {
  const [, scheme = ""] = /^([a-z+]+):\/\//.exec(text) ?? [];
  const kind = kindsByScheme.get(scheme);
  return kind && { kind, url: text, shown: shownOf(scheme, text) };
}

/**
 * Scheme, hosts and database: no user, no password, no parameters (a password can be among those). An address that could be read in
 * two ways, such as one with an unescaped `@` or `/` in its password, shows its scheme alone.
 */
function shownOf(scheme: string, text: string): string {
  const parts = /^[a-z+]+:\/\/(?:[^@/?#]*@)?([\w.\-:,[\]%]*)(?:\/([\w.-]*))?(?:[?#][^@]*)?$/.exec(text);
  if (!parts) return `${scheme}://…`;
  const [, hosts = "", database = ""] = parts;
  return `${scheme}://${hosts}${database && `/${database}`}`;
}

/** What a driver says went wrong, without what is secret in `url`. */
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
    return text; // a percent sign that escapes nothing stands for itself
  }
}
