import { randomUUID } from "node:crypto";
import type { ChatMessage, Here } from "../shared/events.ts";

/** What nodes say to each other, over the Socket.IO adapter. */
export interface BetweenNodes {
  announce(announcement: Announcement): void;
  /** For the memory of what was said last: the visitors have it already. */
  said(message: ChatMessage): void;
  /** What was said last, for a node that is new. */
  told(messages: readonly ChatMessage[]): void;
}

/** What a node tells the others of itself: nothing but what every visitor may see. */
export interface Announcement {
  readonly node: string;
  readonly here: Here;
  /** Whether the node is new, and would like to be told what was said before it came. */
  readonly isNew: boolean;
}

export interface OtherNodesOptions {
  /** Who is here on this node. */
  readonly own: () => Here;
  /** Tells the other nodes; undefined where there is no way to. */
  readonly announce: ((announcement: Announcement) => void) | undefined;
  /** Somebody has come or gone on another node. */
  readonly onChange: () => void;
}

/** Announcements may get lost, so they are repeated; a node that has been silent for so long is gone. */
const repeatMs = 3_000;
const forgottenAfterMs = 10_000;

/**
 * Who is here on all nodes. Each node announces its own, whole, whenever that changes and every few seconds: whatever was
 * lost on the way is put right by the next announcement, and a node that died is forgotten.
 */
export class OtherNodes {
  readonly #options: OtherNodesOptions;
  readonly #node = randomUUID();
  readonly #heard = new Map<string, { readonly here: Here; readonly at: number }>();
  readonly #repeating: NodeJS.Timeout | undefined;
  #isNew = true;
  #isClosed = false;

  constructor(options: OtherNodesOptions) {
    this.#options = options;
    if (options.announce) this.#repeating = setInterval(() => this.#repeat(), repeatMs);
    this.announce();
  }

  /** Each session once, however many nodes it is on; guests are connections, so they add up. */
  get here(): Here {
    // its own last: of a session that is on two nodes, this one has the newest name first
    const all = [...[...this.#heard.values()].map(({ here }) => here), this.#options.own()];
    const peopleById = new Map(all.flatMap(({ people }) => people).map((one) => [one.publicId, one]));
    const people = [...peopleById.values()].sort((a, b) => a.name.localeCompare(b.name));
    return { people, guests: all.reduce((sum, { guests }) => sum + guests, 0) };
  }

  announce(): void {
    if (this.#isClosed) return;
    this.#options.announce?.({ node: this.#node, here: this.#options.own(), isNew: this.#isNew });
  }

  hear({ node, here }: Announcement): void {
    const before = JSON.stringify(this.#heard.get(node)?.here);
    this.#heard.set(node, { here, at: performance.now() });
    if (JSON.stringify(here) !== before) this.#options.onChange();
  }

  /** This node has been told what was said before it came. */
  settle(): void {
    this.#isNew = false;
  }

  /** Tells the others that nobody is here any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#options.announce?.({ node: this.#node, here: { people: [], guests: 0 }, isNew: false });
    this.#isClosed = true;
    clearInterval(this.#repeating);
  }

  #repeat(): void {
    this.announce();
    const silent = [...this.#heard].filter(([, { at }]) => performance.now() - at > forgottenAfterMs);
    for (const [node] of silent) this.#heard.delete(node);
    if (silent.length > 0) this.#options.onChange();
  }
}
