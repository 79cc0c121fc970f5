import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type NodeProcess, type NodeSetting, startNodes } from "./node-process.ts";
import type { SharedStore } from "./shared-stores.ts";
import type { StoreAddress } from "./store-address.ts";

export interface SharedNodes {
  readonly all: readonly NodeProcess[];
  readonly address: StoreAddress;
  /** The first is 1. */
  node(number: number): NodeProcess;
}

/** Registers the hooks: `count` nodes over a new place in `store` are there when a test runs. None may report an error. */
export function useSharedNodes(
  store: SharedStore,
  count: number,
  options: NodeSetting["options"] = {},
): SharedNodes {
  let all: readonly NodeProcess[] = [];
  let opened: ReturnType<SharedStore["open"]> | undefined;
  const get = () => {
    if (!opened) throw new Error("Expected nodes, but they are not started yet.");
    return opened;
  };

  beforeAll(async () => {
    opened = store.open();
    const setting = { store: opened.address, options };
    all = await startNodes(Array.from({ length: count }, () => setting));
  }, 120_000);
  afterEach(() => {
    expect(all.flatMap(({ complaints, errors }) => [...complaints, ...errors])).toEqual([]);
  });
  afterAll(async () => {
    await Promise.all(all.map((one) => one.close()));
    await opened?.clear();
  });

  return {
    get all() {
      return all;
    },
    get address() {
      return get().address;
    },
    node(number) {
      const one = all[number - 1];
      if (!one) throw new Error(`Expected a node ${number}.`);
      return one;
    },
  };
}
