import type { SessionStore } from "socket-session";

type Operation = "read" | "create" | "replace" | "touch" | "destroy";

/** A store that counts what reaches it. */
export function spyStore(store: SessionStore): SessionStore & { calls: Record<Operation, number> } {
  const calls: Record<Operation, number> = { read: 0, create: 0, replace: 0, touch: 0, destroy: 0 };
  const counted = (operation: Operation) => ({
    value: (...args: unknown[]) => {
      calls[operation]++;
      return Reflect.apply(store[operation], store, args);
    },
  });
  return Object.create(store, {
    calls: { value: calls },
    changes: { value: store.changes?.bind(store) },
    close: { value: store.close.bind(store) },
    read: counted("read"),
    create: counted("create"),
    replace: counted("replace"),
    touch: counted("touch"),
    destroy: counted("destroy"),
  });
}
