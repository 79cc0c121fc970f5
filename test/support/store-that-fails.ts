/** A memory store that does not answer a read while `isDown()`. */
import { type MemoryStoreOptions, memoryStore } from "socket-session/memory";

export function storeThatFails(isDown: () => boolean, options: MemoryStoreOptions = {}) {
  const store = memoryStore(options);
  const read = store.read.bind(store);
  store.read = async (key) => {
    if (isDown()) throw new Error("connection refused");
    return read(key);
  };
  return store;
}
