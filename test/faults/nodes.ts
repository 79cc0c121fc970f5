/** The nodes of a file of stories, started once, and the invariants that hold whatever goes wrong. */
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { withService } from "../setup/services.ts";
import { type NodeProcess, startNode } from "../support/node-process.ts";
import { clearPlace, newPlace, type StoreAddress } from "../support/store-address.ts";
import { patience } from "./clients.ts";
import type { NetworkedStore } from "./networked-stores.ts";
import { type LinkedNode, startLinkedNode } from "./vocabulary.ts";

/** Soon finds out by itself what it has not heard. */
export const shortly = { revalidateIntervalMs: 1_000, staleMs: 3_000, storeTimeoutMs: 1_000 };
/** Asks as often, and bears with a store that is slow on this machine. */
const homely = { revalidateIntervalMs: 1_000, staleMs: 20_000, storeTimeoutMs: 10_000 };
/** Hears of it by its feed, or never in the time of a test. */
const patiently = { revalidateIntervalMs: 60_000, staleMs: 120_000, storeTimeoutMs: 10_000 };

export interface Nodes {
  readonly address: StoreAddress;
  /** Nothing goes wrong with this one. It knows of other packages' writes. */
  readonly home: NodeProcess;
  /** With `shortly`. */
  readonly quick: LinkedNode;
  /** With `patiently`. */
  readonly slow: LinkedNode;
}

/** Registers the hooks; the nodes are there when a test runs. */
export function useNodes(store: NetworkedStore): () => Nodes {
  let nodes: Nodes | undefined;
  const get = () => {
    if (!nodes) throw new Error("Expected nodes, but they are not started yet.");
    return nodes;
  };

  beforeAll(async () => {
    const address: StoreAddress = {
      kind: store.kind,
      url: withService(store.service).url,
      place: newPlace(),
    };
    const others = { ...address, otherWriters: true };
    const [home, quick, slow] = await Promise.all([
      startNode({ store: others, options: { ...homely, nodeName: "home" } }),
      startLinkedNode({ store: address, options: { ...shortly, nodeName: "quick" } }, store.feed),
      startLinkedNode({ store: address, options: { ...patiently, nodeName: "slow" } }, store.feed),
    ]);
    nodes = { address, home, quick, slow };
  }, 120_000);

  afterEach(async () => {
    const { home, quick, slow } = get();
    await Promise.all([quick.link.heal(), slow.link.heal()]);
    expectSound([home, quick, slow]);
  });

  afterAll(async () => {
    if (!nodes) return;
    const { address, home, quick, slow } = nodes;
    await Promise.all([home.close(), quick.close(), slow.close()]);
    await clearPlace(address);
  }, 60_000);

  return get;
}

/** No node has ended, warned, or failed otherwise than by its store. */
export function expectSound(nodes: readonly NodeProcess[]): void {
  expect(nodes.flatMap(({ complaints }) => complaints)).toEqual([]);
  const errors = nodes.flatMap((node) => node.errors);
  expect(errors.filter((error) => !mayBe(error))).toEqual([]);
}

/** Of a store that is cut off, a session's own error and the database's are to be expected; the latter name no code. */
function mayBe(error: string): boolean {
  return !/TypeError|ReferenceError|RangeError|LISTENER_FAILED|AssertionError/.test(error);
}

export async function expectFeed(node: NodeProcess, state: "whole" | "broken"): Promise<void> {
  await expect.poll(() => node.feed(), patience).toBe(state);
}
