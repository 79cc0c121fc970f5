/**
 * Nodes over one database in memory, each with a feed in the hand of the test, and time that stands still.
 *
 * ```ts
 * const { nodes: [here, there], clock } = await linkedNodes(2);
 * there.link.holds = "all"; // as a frozen process
 * ```
 */
import type { Hub } from "../../src/live/hub.ts";
import { endWithReceipt } from "../../src/session/end-receipt.ts";
import type { FeedListener, SessionKey, SessionStore } from "../../src/session-store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { day, type LiveSet, liveSet, stored } from "./live-set.ts";

type Kind = "changes" | "notes";

/** A node's feed. */
class Link {
  /** What waits until `letGo`. */
  holds: Kind | "all" | "nothing" = "nothing";
  /** What is lost without a word. */
  loses: Kind | "all" | "nothing" = "nothing";
  /** Whether what the node publishes reaches the database. */
  publishes = true;
  /** Whether the node learns that it has been published. */
  answers = true;
  #listener: FeedListener | undefined;
  readonly #held: (() => void)[] = [];

  listen(listener: FeedListener): FeedListener {
    this.#listener = listener;
    return {
      changed: (change) => this.#pass("changes", () => listener.changed(change)),
      told: (note) => this.#pass("notes", () => listener.told?.(note)),
      broken: (error) => listener.broken(error),
      missed: () => listener.missed(),
    };
  }

  async letGo(): Promise<void> {
    this.holds = "nothing";
    for (const arrive of this.#held.splice(0)) arrive();
    await settle();
  }

  cut(): void {
    this.loses = "all";
    this.#listener?.broken(new Error("cut"));
  }

  async heal(): Promise<void> {
    this.loses = "nothing";
    this.#listener?.missed();
    await settle();
  }

  #pass(kind: Kind, arrive: () => void): void {
    if (this.loses === "all" || this.loses === kind) return;
    if (this.holds === "all" || this.holds === kind) this.#held.push(arrive);
    else arrive();
  }
}

function storeOver(database: SessionStore, link: Link): SessionStore {
  return {
    ...{ name: "linked", atomic: true, feed: { kind: "linked", complete: true } },
    read: (key) => database.read(key),
    create: (...args) => database.create(...args),
    replace: (...args) => database.replace(...args),
    touch: (...args) => database.touch(...args),
    destroy: (...args) => database.destroy(...args),
    tell: async (note) => {
      if (!link.publishes) throw new Error("refused");
      await database.tell?.(note);
      if (!link.answers) await new Promise(() => {});
    },
    changes: async (listener, options) =>
      (await database.changes?.(link.listen(listener), options)) ?? (async () => {}),
    close: async () => {},
  };
}

interface LinkedNode extends LiveSet {
  readonly store: SessionStore;
  readonly link: Link;
}

export function startNode(database: SessionStore, clock: ManualClock, name: string): LinkedNode {
  const link = new Link();
  const store = storeOver(database, link);
  return { ...liveSet(store, clock, Number.POSITIVE_INFINITY, name), link };
}

/** They have introduced themselves. The session `key` is stored. */
export async function linkedNodes<const Names extends readonly string[]>(...names: Names) {
  const clock = new ManualClock();
  const database = memoryStore({ clock });
  const nodes = names.map((name) => startNode(database, clock, name)) as {
    readonly [K in keyof Names]: LinkedNode;
  };
  await settle();
  await clock.advance(1_000);
  const [first] = nodes;
  if (!first) throw new Error("Expected a node.");
  const key = await stored(first, "a session");
  return { clock, database, nodes, key };
}

/** A client's connection, which has so many sockets, and closes when the test says. */
export async function connect({ hub }: { readonly hub: Hub }, key: SessionKey, sockets = 1) {
  const ends: string[] = [];
  const observer = { sockets, ended: ({ reason }: { reason: string }) => void ends.push(reason) };
  const entry = hub.observe(key, observer);
  await hub.reads.load(entry);
  return { entry, ends, close: () => hub.release(entry, observer) };
}

/** The receipt of an end on this node, when everything that takes no time has happened. */
export async function endOn({ hub }: LinkedNode, key: SessionKey) {
  const receipt = outcomeOf(endWithReceipt(hub, key, {}));
  await settle();
  return receipt;
}

/** What has become of the promise so far. */
export function outcomeOf<T>(promise: Promise<T>): { readonly value?: T; readonly isSettled: boolean } {
  const outcome: { value?: T; isSettled: boolean } = { isSettled: false };
  void promise.then((value) => Object.assign(outcome, { value, isSettled: true }));
  return outcome;
}

export const later = (clock: ManualClock) => clock.now() + day;
