import { type DatabaseKind, type DatabaseUrl, readDatabaseUrl } from "./database-url.ts";
import type { StoreAddress } from "./store-address.ts";

/** The Socket.IO adapter that carries the chat's own broadcasts to the other nodes. Sessions need none. */
export type AdapterChoice =
  | { readonly name: "none" | "cluster"; readonly isNamed: boolean }
  | {
      readonly name: "redis-streams" | "redis" | "postgres" | "mongo";
      readonly address: DatabaseUrl;
      readonly isNamed: boolean;
    };

type AdapterName = AdapterChoice["name"];

/** The database that an adapter needs. */
const databasesByAdapter: Readonly<Record<AdapterName, DatabaseKind | undefined>> = {
  "redis-streams": "redis",
  redis: "redis",
  postgres: "postgres",
  mongo: "mongodb",
  cluster: undefined,
  none: undefined,
};

const adaptersByDatabase = { redis: "redis-streams", postgres: "postgres", mongodb: "mongo" } as const;

export interface ChoiceInput {
  readonly ADAPTER: string | undefined;
  readonly ADAPTER_URL: string | undefined;
  readonly store: StoreAddress;
  /** Whether this is a node of `npm run start:cluster`. */
  readonly isInCluster: boolean;
}

/**
 * The adapter that `ADAPTER` names; otherwise the one that fits `ADAPTER_URL` or the store. Throws a readable message.
 */
export function chooseAdapter({ ADAPTER, ADAPTER_URL, store, isInCluster }: ChoiceInput): AdapterChoice {
  const own = ADAPTER_URL ? adapterUrl(ADAPTER_URL) : undefined;
  const isNamed = Boolean(ADAPTER);
  const name = ADAPTER ? adapterName(ADAPTER) : standardAdapter(own ?? store, isInCluster);
  if (name === "none" || name === "cluster") {
    if (own) throw new Error(`ADAPTER_URL is of no use with ADAPTER=${name}. Unset one of them.`);
    if (name === "cluster" && !isInCluster)
      throw new Error("ADAPTER=cluster is for the nodes of one machine: npm run start:cluster.");
    return { name, isNamed };
  }
  const database = databasesByAdapter[name];
  const address = own ?? store;
  if (address.kind === "memory" || address.kind === "file" || address.kind !== database)
    throw new Error(
      `ADAPTER=${name} needs a database of its kind, and ${own ? "ADAPTER_URL" : "STORE"} names another. Set ADAPTER_URL=${database}://….`,
    );
  return { name, address, isNamed };
}

function adapterName(text: string): AdapterName {
  const names = Object.keys(databasesByAdapter);
  if (isAdapterName(text)) return text;
  throw new Error(`ADAPTER expects one of ${names.join(", ")}, but it is none of these.`);
}

function isAdapterName(text: string): text is AdapterName {
  return Object.hasOwn(databasesByAdapter, text);
}

function adapterUrl(text: string): DatabaseUrl {
  const address = readDatabaseUrl(text);
  if (address) return address;
  throw new Error("ADAPTER_URL expects redis://…, postgres://… or mongodb://…, but it is none of these.");
}

function standardAdapter({ kind }: StoreAddress, isInCluster: boolean): AdapterName {
  if (kind === "memory" || kind === "file") return isInCluster ? "cluster" : "none";
  return adaptersByDatabase[kind];
}
