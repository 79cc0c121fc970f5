import session from "express-session";
import { loadLibrary } from "../run/library.ts";
import type { StoreKind } from "./store.ts";

const noRead = async () => {
  throw new Error("Expected a store in a database: the memory has no client.");
};

const close = async () => {};

export const memory: StoreKind = {
  name: "memory",
  title: "memory",
  async open() {
    const store = new session.MemoryStore();
    return {
      forExpressSession: async () => store,
      forLibrary: async (checkout) => (await loadLibrary(checkout, "./memory")).memoryStore(),
      read: noRead,
      close,
    };
  },
};

/** A store made for express-session, given to the library. */
export const wrapped: StoreKind = {
  name: "wrapped",
  title: "a wrapped MemoryStore",
  peer: "memory",
  async open() {
    const store = new session.MemoryStore();
    return { forExpressSession: async () => store, forLibrary: async () => store, read: noRead, close };
  },
};
