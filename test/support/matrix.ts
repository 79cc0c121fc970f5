import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import session from "express-session";
import type { Clock, LiveSessionsOptions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { sqliteStore } from "socket-session/sqlite";
import { describe } from "vitest";
import { type Ring, ring } from "../setup/ring.ts";
import { databaseKinds } from "./database-kinds.ts";

export interface StoreKind {
  readonly name: string;
  /** A new, empty store. */
  open(clock?: Clock): LiveSessionsOptions["store"];
  /** Whether its expiry goes by the given clock. */
  readonly obeysClock: boolean;
  readonly feed: boolean;
  /** For a database that goes by its own time: lets that pass for the store opened last. */
  pass?(ms: number): Promise<void>;
  /** Writes `text`, which is JSON, in the place of a session of the store opened last, past that store. */
  damage?(sid: string, text: string): Promise<void> | void;
  /** Its server is not to be had here: its tests are reported as skipped. */
  readonly isMissing?: boolean;
}

/** A clock that is moved by days would run the polls of all that time. */
const rarely = { pollIntervalMs: 1e10, pruneIntervalMs: 1e10 };
const directory = mkdtempSync(join(tmpdir(), "socket-session-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
let files = 0;

export const storeKinds: readonly StoreKind[] = [
  { name: "memory", open: (clock) => memoryStore(clock ? { clock } : {}), obeysClock: true, feed: true },
  {
    name: "SQLite",
    open: (clock) =>
      sqliteStore({ path: join(directory, `${++files}.sqlite`), ...(clock ? { clock, ...rarely } : {}) }),
    obeysClock: true,
    feed: true,
    damage(sid, text) {
      const database = new DatabaseSync(join(directory, `${files}.sqlite`));
      const id = Buffer.from(sid, "utf16le");
      database.prepare("UPDATE sessions SET document = ? WHERE id = ?").run(text, id);
      database.close();
    },
  },
  ...databaseKinds,
  { name: "a wrapped MemoryStore", open: () => new session.MemoryStore(), obeysClock: false, feed: false },
];

export const transportKinds = [
  { name: "polling", transports: ["polling"] },
  { name: "WebSocket", transports: ["websocket"] },
  { name: "polling upgraded to WebSocket", transports: ["polling", "websocket"] },
] as const;

export const namespaceKinds = [
  { name: "the main namespace", namespace: "/" },
  { name: "a static namespace", namespace: "/admin" },
  { name: "a dynamic namespace", namespace: "/room-7" },
] as const;

export interface Setting {
  readonly name: string;
  readonly store: StoreKind;
  readonly transports: string[];
  readonly namespace: string;
}

/** Every store by every transport in every namespace. */
const product: readonly Setting[] = storeKinds.flatMap((store) =>
  transportKinds.flatMap(({ name: transport, transports }) =>
    namespaceKinds.map(({ name, namespace }) => ({
      name: `over ${store.name}, by ${transport}, in ${name}`,
      store,
      transports: [...transports],
      namespace,
    })),
  ),
);

/** Every store by WebSocket in the main namespace, and the first one in every other way as well. */
const usual = product.filter(
  ({ store, transports, namespace }) =>
    store === storeKinds[0] || (String(transports) === "websocket" && namespace === "/"),
);

export const settingsIn = (ring: Ring): readonly Setting[] => (ring === "product" ? product : usual);

/** Runs `tests` on every store, or those of `kinds`. */
export function describeKinds(
  name: string,
  tests: (store: StoreKind) => void,
  kinds: readonly StoreKind[] = storeKinds,
): void {
  for (const store of kinds)
    describe.skipIf(store.isMissing)(`${name}, over ${store.name}`, () => tests(store));
}

/** Runs `tests` on every store, transport and namespace kind; in the ring `product` on all that these make together. */
export function describeEverywhere(name: string, tests: (setting: Setting) => void): void {
  for (const setting of settingsIn(ring))
    describe.skipIf(setting.store.isMissing)(`${name}, ${setting.name}`, () => tests(setting));
}

/** Runs `tests` on every store, by WebSocket in the main namespace. */
export function describeStores(name: string, tests: (setting: Omit<Setting, "name">) => void): void {
  describeKinds(name, (store) => {
    tests({ store, transports: ["websocket"], namespace: "/" });
  });
}
