import type { SessionStore } from "socket-session";

const operations = ["read", "readMany", "create", "replace", "touch", "destroy"] as const;
type Operation = (typeof operations)[number];

/** A store that counts what reaches it. */
export function spyStore(store: SessionStore): SessionStore & { calls: Record<Operation, number> } {
  const calls = { read: 0, readMany: 0, create: 0, replace: 0, touch: 0, destroy: 0 };
  const isCounted = (name: unknown): name is Operation => operations.some((operation) => operation === name);
  return new Proxy(Object.assign(Object.create(store), { calls }), {
    get(_target, name) {
      if (name === "calls") return calls;
      const value: unknown = Reflect.get(store, name, store); // with the store as `this`, for its private fields
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (isCounted(name)) calls[name]++;
        return Reflect.apply(value, store, args);
      };
    },
  });
}
