/** Recognises the `store` of `liveSessions`: a store of this package, of `express-session`, or neither. */
import type { Store } from "express-session";
import { refusal } from "../../base/arguments.ts";
import { hasMethods } from "../../base/shapes.ts";
import { shown } from "../../base/shown.ts";
import type { SessionStore } from "../../session-store.ts";
import { recognised } from "./recognised.ts";

export function isOurStore(store: unknown): store is SessionStore {
  return hasMethods(store, "read", "replace");
}

/** Not all inherit from `express-session`'s Store. Those that do are stores, whatever other methods they have. */
export function isExpressStore(store: unknown): store is Store {
  if (!hasMethods(store, "get", "set", "destroy")) return false;
  return hasMethods(store, "createSession", "regenerate") || recognised(store) === undefined;
}

const uses = new Map([
  ["memoryStore", "memoryStore()"],
  ["sqliteStore", 'sqliteStore({ path: "sessions.db" })'],
  ["redisStore", "redisStore({ client })"],
  ["postgresStore", "postgresStore({ pool })"],
  ["mongodbStore", "mongodbStore({ client, dbName })"],
]);

/** The error for a `store` that is not a store. */
export function noStore(store: unknown): Error {
  const { came, cure } = described(store);
  return refusal("`store` expects a session store", came, cure);
}

function described(store: unknown): { came: string; cure: string } {
  if (typeof store === "function") return describedFunction(store);
  const found = recognised(store);
  if (found) return { came: found.what, cure: found.cure };
  const listed = [...uses.values()].join(", ");
  return { came: shown(store), cure: `Give it one of ${listed}, or any express-session store.` };
}

/** Recognises the functions of this package by name, which a minifier may have changed. */
function describedFunction(store: { readonly name: string; readonly prototype?: unknown }) {
  const use = uses.get(store.name);
  if (use !== undefined)
    return { came: `the function ${store.name} itself`, cure: `Call it: store: ${use}.` };
  if (hasMethods(store.prototype, "get", "set", "destroy")) {
    const cure = `Make one: store: new ${shownName(store.name)}(…).`;
    return { came: `the class ${shownName(store.name)} itself`, cure };
  }
  const cure =
    "Call it if it makes a store, as memoryStore() does. Its own documentation says what it takes.";
  return { came: "a function", cure };
}

function shownName(name: string): string {
  return /^[\w$]{1,64}$/.test(name) ? name : "Store";
}
