/** Counts what an application asks of its store, through the interface of express-session or the library's. */
import type { OpenedStore } from "../stores/store.ts";

const reads = ["get", "read", "readMany"];
const operations = [...reads, "set", "touch", "destroy", "create", "replace", "listByUser"];

export class Operations {
  #count = 0;
  #readsAt: number[] = [];

  note(name: string): void {
    this.#count++;
    if (reads.includes(name)) this.#readsAt.push(performance.now());
  }

  /** Since the last call. */
  take(): { count: number; reads: number; readsPerSecond: number } {
    const taken = {
      count: this.#count,
      reads: this.#readsAt.length,
      readsPerSecond: mostWithin(this.#readsAt),
    };
    this.#count = 0;
    this.#readsAt = [];
    return taken;
  }
}

/** The most that happened within any second. */
function mostWithin(times: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [index, at] of times.entries()) {
    while ((times[first] ?? at) <= at - 1000) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

export function counted(store: OpenedStore, counts: Operations): OpenedStore {
  return {
    ...store,
    forExpressSession: async () => counting(await store.forExpressSession(), counts),
    forLibrary: async (checkout) => counting(await store.forLibrary(checkout), counts),
  };
}

function counting<Store extends object>(store: Store, counts: Operations): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target); // with the store as `this`, for its private fields
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (operations.includes(String(name))) counts.note(String(name));
        return Reflect.apply(value, target, args);
      };
    },
  });
}
