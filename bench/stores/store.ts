/** The interface of a store under test: what each subject needs to keep its sessions in the same database by the same client. */
import type { Store } from "express-session";
import type { SessionStore } from "socket-session";
import type { ServiceName } from "../../test/setup/services.ts";
import type { StoreAddress } from "../../test/support/store-address.ts";

export interface StoreKind {
  /** As `npm run bench -- --store <name>` takes it. */
  readonly name: string;
  readonly title: string;
  /** The server that it needs, as `scripts/services.mjs` names it; none for the memory and for a file. */
  readonly service?: ServiceName;
  /** The store over which others are compared with it, where a subject has no use for this one. */
  readonly peer?: string;
  /** The kind of its place in the database; none for the memory. */
  readonly address?: StoreAddress["kind"];
  open(place: StorePlace): Promise<OpenedStore>;
}

/** Nothing for the memory; the path of a file for SQLite. */
export type StorePlace = Pick<StoreAddress, "url" | "place">;

/** An empty one, of which each process makes one use only. */
export interface OpenedStore {
  /** That of the package whose format the library keeps; always the same. */
  forExpressSession(): Promise<Store>;
  /** The library's own, from the checkout under test. */
  forLibrary(checkout: string): Promise<SessionStore | Store>;
  /** Resolves to what is stored under the id, as the client returns it; null if there is nothing. */
  read(id: string): Promise<unknown>;
  /** Writes if `expected` is still stored, and publishes that, in one atomic step. */
  replace?(id: string, expected: string, value: string): Promise<unknown>;
  /** Calls `listener` with each id of which `replace` has published a change, on a connection of its own. */
  changes?(listener: (id: string) => void): Promise<void>;
  /** Ends its client. */
  close(): Promise<void>;
}
