import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type AdapterChoice, chooseAdapter } from "./adapter-choice.ts";
import { keptSecret, newSecret } from "./secret.ts";
import { readStoreAddress, type StoreAddress } from "./store-address.ts";

export interface Environment {
  readonly port: number;
  readonly store: StoreAddress;
  readonly adapter: AdapterChoice;
  readonly secret: string;
  /** The name of this node on the page; undefined if there is only one. */
  readonly nodeName: string | undefined;
  /** How many nodes `npm run start:cluster` starts. */
  readonly nodes: number;
  /** Whether a proxy of ours stands before the chat, whose `X-Forwarded-…` headers are trusted. */
  readonly proxy: boolean;
  /** Hints for the operator, printed at the start. */
  readonly notes: readonly string[];
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * `PORT`, `STORE`, `SECRET`, `ADAPTER`, `ADAPTER_URL`, `NODE_NAME`, `NODES` and `PROXY`, checked; each has a default.
 * Throws a message that says what to set instead.
 */
export function readEnvironment(
  variables: Variables,
  { isInCluster = false, isSplit = false } = {},
): Environment {
  const { PORT, STORE, SECRET, ADAPTER, ADAPTER_URL, NODE_NAME, NODES, PROXY } = variables;
  const ports = isSplit ? { least: 1, most: 65_534 } : { least: 0, most: 65_535 }; // split takes the next one, too
  const port = numberIn("PORT", PORT || "3000", { ...ports, example: "PORT=3001 npm start" });
  const nodes = numberIn("NODES", NODES || "3", {
    least: 1,
    most: 64,
    example: "NODES=3 npm run start:cluster",
  });
  const store = readStoreAddress(STORE || "file:./data/chat.sqlite");
  if (store.kind === "memory" && isInCluster)
    throw new Error(
      "STORE=memory keeps the sessions in one process, and the nodes of a cluster are several. Use STORE=file:./data/chat.sqlite or a database.",
    );
  const adapter = chooseAdapter({ ADAPTER, ADAPTER_URL, store, isInCluster });
  const { secret, note } = SECRET ? { secret: SECRET, note: undefined } : standardSecret(store);
  const notes = [`Sessions: ${store.shown}`, ...(note ? [note] : [])];
  return { port, nodes, store, adapter, secret, nodeName: nodeNameIn(NODE_NAME), proxy: isOn(PROXY), notes };
}

interface Span {
  readonly least: number;
  readonly most: number;
  readonly example: string;
}

function numberIn(name: string, text: string, { least, most, example }: Span): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Error(
    `${name} expects a number from ${least} to ${most}, but it is "${text}". For example: ${example}`,
  );
}

/** All visitors see it, so it is a chosen name, not that of the machine or process. */
function nodeNameIn(text: string | undefined): string | undefined {
  if (!text) return undefined;
  if (/^[\p{L}\p{N} ._-]{1,40}$/u.test(text)) return text;
  throw new Error(
    "NODE_NAME expects up to 40 letters, digits, spaces, dots, hyphens and underscores: every visitor can see it.",
  );
}

function isOn(text: string | undefined): boolean {
  if (!text || text === "0" || text === "false") return false;
  if (text === "1" || text === "true") return true;
  throw new Error("PROXY expects 1 where a proxy of yours stands before the chat, else 0.");
}

/** Beside the database file. For a database elsewhere, in a file of this machine, which only serves its own nodes. */
function standardSecret(store: StoreAddress): { secret: string; note?: string } {
  if (store.kind === "memory") return { secret: newSecret() };
  const path = store.kind === "file" ? `${store.path}.secret` : resolve("data/chat.secret");
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const advice =
    store.kind === "file" ? "set SECRET to use another" : "nodes elsewhere need the same: set SECRET";
  return { secret: keptSecret(path), note: `Secret: ${path} (${advice})` };
}
