import session from "express-session";
import { loadLibrary } from "../run/library.ts";
import type { StoreKind } from "./store.ts";

/** express-session has no store of its own for SQLite: the peer is its MemoryStore. */
export const sqlite: StoreKind = {
  name: "sqlite",
  title: "SQLite",
  address: "sqlite",
  peer: "memory",
  async open({ url: path }) {
    const store = new session.MemoryStore();
    return {
      forExpressSession: async () => store,
      forLibrary: async (checkout) => (await loadLibrary(checkout, "./sqlite")).sqliteStore({ path }),
      read: async () => {
        throw new Error("Expected a store that a package for express-session shares.");
      },
      close: async () => {},
    };
  },
};
