import session from "express-session";
import memorystore from "memorystore";
import { vi } from "vitest";
import type { ExpressStore } from "../../../src/stores/express/shape.ts";
import { fromExpressStore } from "../../../src/stores/express/store.ts";
import { describeStore } from "../conformance.ts";
import { StrictTtlStore, TtlStore } from "./fixtures/ttl-store.ts";

const traits = {
  ...{ atomic: false, feed: false, uniqueRevisions: false, exactExpiry: false },
  outlivesClose: true,
};

/** These stores go by the system's time, so that is what is set here; timers stay real. */
function describeExpressStore(name: string, make: () => ExpressStore): void {
  describeStore(`fromExpressStore(${name})`, traits, async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(1_800_000_000_000);
    const store = fromExpressStore(make(), { ttlMs: 86_400_000 });
    return {
      open: () => store,
      now: () => Date.now(),
      advance: (ms) => void vi.setSystemTime(Date.now() + ms),
      async end() {
        await store.close();
        vi.useRealTimers();
      },
    };
  });
}

describeExpressStore("MemoryStore", () => new session.MemoryStore());

const MemoryStore = memorystore(session);
describeExpressStore("memorystore", () => new MemoryStore({}));

describeExpressStore("a store with its expiry beside the document", () => new TtlStore());
describeExpressStore("a store whose touch of a missing session fails", () => new StrictTtlStore());

describeExpressStore("a store without touch", () => {
  const store = new session.MemoryStore();
  return { get: store.get.bind(store), set: store.set.bind(store), destroy: store.destroy.bind(store) };
});
