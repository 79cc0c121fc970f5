import { randomUUID } from "node:crypto";
import createDebug from "debug";
import { type Clock, pause } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { Pace } from "../base/pace.ts";
import { atMost } from "../base/with-timeout.ts";
import { type Answer, Asked } from "./asked.ts";
import { type NodeIdentity, type Note, noteText, type Question, readNote, type Sign } from "./notes.ts";
import { Roster } from "./roster.ts";

export interface NodesOptions {
  readonly clock: Clock;
  readonly nodeName: string;
  readonly staleMs: number;
  readonly sign: Sign;
  /** Publishes a note. Undefined if the store's feed can't carry any. */
  readonly tell: ((note: string) => Promise<void>) | undefined;
  /** Whether the feed delivers notes at the moment. */
  readonly isWhole: () => boolean;
  /** This node's answer; undefined if it can't give one. */
  readonly answer: (question: Question) => Promise<readonly number[] | undefined>;
}

/**
 * - `asked`: all other nodes.
 * - `cut`: none, as this node's feed is cut at the moment, or the question could not be published.
 * - `unsupported`: none, as the store has no feed that carries notes.
 */
type Reach = "asked" | "cut" | "unsupported";

export interface Answers {
  readonly others: Reach;
  /** Of this node, and of all that it has ever known. */
  readonly longestLeaseMs: number;
  /** This node's, unless it could not give one. */
  readonly own: readonly Answer[];
  readonly theirs: readonly Answer[];
  /** The known nodes that have not answered in time. */
  readonly unanswered: readonly NodeIdentity[];
}

const debug = createDebug("socket-session:nodes");

/** How long the others may take to introduce themselves after a `hello`: nothing is asked before. */
const gatheringMs = 1_000;
/** After a gap all nodes say hello at once: answering each would take as many notes as there are pairs of nodes. */
const introductionsMs = 250;

/**
 * The nodes of the application, which ask each other by notes. Nothing is sent regularly: a node introduces itself when its
 * feed is whole, the others answer that, and it takes its leave when it closes. A lost note costs an answer and no more: the
 * node that asks learns which of the known nodes have given none, and does not assume that it knows all.
 */
export class Nodes {
  readonly #options: NodesOptions;
  readonly #self: NodeIdentity;
  readonly #roster: Roster;
  readonly #askedById = new Map<string, Asked>();
  readonly #introductions: Pace;
  #isIntroductionDue = false;
  #gatheredAt = Number.NEGATIVE_INFINITY;
  #hasGreeted = false;
  #isClosed = false;

  constructor(options: NodesOptions) {
    const { clock, nodeName, staleMs } = options;
    this.#options = options;
    this.#self = { id: randomUUID(), name: nodeName, leaseMs: staleMs };
    this.#roster = new Roster(clock);
    this.#introductions = new Pace(1, (then) => void clock.after(introductionsMs, then));
  }

  /** The feed is whole, at the start or again. */
  feedWhole(): void {
    void this.#greet();
  }

  /** The feed has delivered a note. A text that is not a note of this application is passed over. */
  told(text: string): void {
    const note = readNote(text, this.#options.sign);
    if (!note || note.from.id === this.#self.id || this.#isClosed) return;
    if (note.kind === "bye") this.#left(note.from);
    else this.#roster.add(note.from);
    if (note.kind === "hello") this.#introduce();
    else if (note.kind === "ask")
      void this.#answer(note.question, (sockets) => this.#send({ kind: "answer", ask: note.ask, sockets }));
    else if (note.kind === "answer") this.#take(note.ask, note.from, note.sockets);
  }

  /** Asks all nodes, this one included. Resolves when all that are known have answered, after `withinMs` at the latest. */
  async ask(question: Question, withinMs: number): Promise<Answers> {
    const { clock, tell, isWhole } = this.#options;
    const mayAsk = () => tell !== undefined && isWhole();
    if (mayAsk()) await this.#gathered();
    const ask = randomUUID();
    const self = this.#self;
    const known = [self, ...this.#roster.nodes];
    const responsive = known.map(({ id }) => id).filter((id) => this.#roster.isResponsive(id));
    const asked = new Asked([self.id, ...responsive]);
    this.#askedById.set(ask, asked);
    const reach: { others: Reach } = { others: tell ? "cut" : "unsupported" };
    const exchange = async () => {
      void this.#answer(question, (sockets) => this.#take(ask, self, sockets));
      if (mayAsk() && (await this.#send({ kind: "ask", ask, question }))) reach.others = "asked";
      else for (const id of responsive) asked.giveUp(id);
      await asked.all;
    };
    await atMost(clock, withinMs, exchange());
    this.#askedById.delete(ask);
    const own = asked.answers.filter(({ node }) => node.id === self.id);
    const theirs = asked.answers.filter(({ node }) => node.id !== self.id);
    if (theirs.length > 0) reach.others = "asked"; // the store may not have said so
    const unanswered = known.filter(({ id }) => !asked.has(id) && this.#isHere(id));
    if (reach.others === "asked") for (const node of unanswered) this.#roster.missed(node);
    const longestLeaseMs = Math.max(self.leaseMs, this.#roster.longestLeaseMs);
    return { ...reach, longestLeaseMs, own, theirs, unanswered };
  }

  /** Does not wait for the others to learn of it. */
  close(): void {
    void this.#send({ kind: "bye" });
    this.#isClosed = true;
  }

  #isHere(id: string): boolean {
    return id === this.#self.id || this.#roster.has(id);
  }

  async #greet(): Promise<void> {
    this.#gatheredAt = this.#options.clock.now() + gatheringMs;
    this.#hasGreeted = false;
    this.#hasGreeted = await this.#send({ kind: "hello" });
  }

  #introduce(): void {
    if (this.#isIntroductionDue) return;
    this.#isIntroductionDue = true;
    this.#introductions.run(() => {
      this.#isIntroductionDue = false;
      void this.#send({ kind: "here" });
    });
  }

  #left(node: NodeIdentity): void {
    this.#roster.left(node);
    for (const asked of this.#askedById.values()) asked.giveUp(node.id);
  }

  #take(ask: string, node: NodeIdentity, sockets: readonly number[]): void {
    this.#askedById.get(ask)?.take({ node, sockets, at: this.#options.clock.now() });
  }

  async #answer(question: Question, give: (sockets: readonly number[]) => unknown): Promise<void> {
    const sockets = await this.#options.answer(question);
    if (sockets) await give(sockets);
  }

  async #gathered(): Promise<void> {
    const { clock } = this.#options;
    if (!this.#hasGreeted && this.#gatheredAt <= clock.now()) void this.#greet(); // the first could not be published
    const ms = this.#gatheredAt - clock.now();
    if (ms > 0) await pause(clock, Math.min(ms, gatheringMs)); // the clock may have been set back
  }

  /** False if it could not be published, and may have been all the same. */
  async #send(note: WithoutFrom): Promise<boolean> {
    const { tell, sign } = this.#options;
    if (!tell || this.#isClosed) return false;
    try {
      await tell(noteText({ ...note, from: this.#self }, sign));
      return true;
    } catch (error) {
      debug("a note (%s) could not be published: %s", note.kind, errorText(error));
      return false;
    }
  }
}

/** Distributes over the union. */
type WithoutFrom<N = Note> = N extends unknown ? Omit<N, "from"> : never;
