import { randomUUID } from "node:crypto";
import type { ChatMessage, Here } from "../shared/events.ts";

/** The messages between nodes, over the Socket.IO adapter. */
export interface BetweenNodes {
  announce(announcement: Announcement): void;
  /** For the other node's memory of the latest messages; its visitors already have this one. */
  said(message: ChatMessage): void;
  /** The latest messages, for a new node. */
  told(messages: readonly ChatMessage[]): void;
}

/** A node's announcement to the others: only data that every visitor may see. */
export interface Announcement {
  readonly node: string;
  readonly here: Here;
  /** Whether the node is new, and asks for the latest messages. */
  readonly isNew: boolean;
}

export interface OtherNodesOptions {
  /** Who is here on this node. */
  readonly own: () => Here;
  /** Publishes to the other nodes; undefined if there is no way to. */
  readonly announce: ((announcement: Announcement) => void) | undefined;
  /** A visitor has come or gone on another node. */
  readonly onChange: () => void;
}

/** Announcements may get lost, so they are repeated; a node silent for this long is gone. */
const repeatMs = 3_000;
const forgottenAfterMs = 10_000;

/**
 * The visitors on all nodes. Each node announces all of its own whenever they change and every few seconds. So the next
 * announcement repairs a lost one, and a dead node is forgotten.
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

  /** Each user once, however many nodes they are on; guests are connections, so they add up. */
  get here(): Here {
    // its own last: if a user is on two nodes, this one has the latest name first
    const all = [...[...this.#heard.values()].map(({ here }) => here), this.#options.own()];
    const peopleByAuthor = new Map(all.flatMap(({ people }) => people).map((one) => [one.author, one]));
    const people = [...peopleByAuthor.values()].sort((a, b) => a.name.localeCompare(b.name));
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

  /** This node has received the earlier messages. */
  settle(): void {
    this.#isNew = false;
  }

  /** Announces that this node has no visitors any more. */
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
