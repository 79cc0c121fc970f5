/**
 * A visitor: logs in, opens tabs, acts in them and by requests, goes away for a while, logs out, and comes again. Its
 * clients retry as stock ones do, unless they receive an answer at which they stop. Sometimes one of its old cookies is
 * used.
 */
import type { Page } from "./clients/pages.ts";
import type { Cluster } from "./cluster.ts";
import type { Mix } from "./mix.ts";
import type { SimulatedNode, SimulatedSocket } from "./node.ts";
import { TicketUsers } from "./ticket-users.ts";
import type { Random } from "./world/random.ts";
import type { World } from "./world/world.ts";

const mostTabs = 3;
/** Twice the time for which a visitor stays before it goes away for a while. */
const leavesEveryMs = 1_000_000;
const retryMs = [1_000, 5_000] as const;
const lists = ["list-a", "list-b"];
const registers = ["register-x", "register-y", "register-z"];

/** A page: it has a socket, or is about to try again. */
interface Tab {
  /** In the trace. */
  readonly name: string;
  readonly sid: string;
  /** If it comes by tickets: where from. */
  readonly page: Page | undefined;
  socket: SimulatedSocket | undefined;
  state?: "outside" | "inside" | "gone";
}

export class Visitor {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #mix: Mix;
  readonly #random: Random;
  readonly #tickets: TicketUsers;
  readonly #tabs = new Set<Tab>();
  readonly #oldSids: string[] = [];
  readonly #name: string;
  #sid: string | undefined;
  #opened = 0;
  #isLoggingIn = false;
  #isResting = false;
  /** Once it has a tab that is open, it does nothing but talk there. */
  readonly #onlyTalks: boolean;

  constructor(world: World, cluster: Cluster, mix: Mix, name: string) {
    this.#world = world;
    this.#cluster = cluster;
    this.#mix = mix;
    this.#name = name;
    this.#random = world.random.fork(`visitor ${name}`);
    this.#tickets = new TicketUsers(world, cluster, this.#random.fork("tickets"));
    this.#onlyTalks = this.#random.chance(0.2);
    this.#plan();
  }

  /** From now on it does nothing by itself; its tabs go on trying. It comes once more, as if for the first time. */
  rest(): void {
    this.#isResting = true;
    const page = { client: `c${this.#name}`, session: "a new one" };
    this.#world.trace.add({ kind: "client", ...page, state: "outside" });
    this.#comeAgain(() => this.#world.trace.add({ kind: "client", ...page, state: "inside" }));
  }

  #comeAgain(isIn: () => void): void {
    const tryAgain = this.#world.after(15_000, () => this.#comeAgain(isIn));
    this.#cluster.reach((node) => {
      void node.create().then((sid) => {
        if (sid === undefined) return;
        tryAgain();
        isIn();
      });
    });
  }

  #plan(): void {
    const { maxAgeMs } = this.#mix.settings;
    const isGone = this.#random.chance(this.#mix.paceMs / leavesEveryMs);
    const ms = isGone ? this.#random.int(maxAgeMs / 2, 2 * maxAgeMs) : this.#random.int(1, this.#mix.paceMs);
    this.#world.after(ms, () => {
      if (this.#isResting) return;
      this.#act();
      this.#plan();
    });
  }

  #act(): void {
    const sid =
      this.#oldSids.length > 0 && this.#random.chance(0.03) ? this.#random.pick(this.#oldSids) : this.#sid;
    if (sid === undefined) {
      this.#logIn();
      return;
    }
    const x = this.#random.next();
    if (this.#onlyTalks && x < 0.99 && this.#openSockets().length > 0) this.#use((socket) => socket.say());
    else if (x < 0.1) this.#open(sid);
    else if (x < 0.45) this.#use((socket) => socket.say());
    else if (x < 0.6) this.#use((socket) => socket.tell());
    else if (x < 0.74) this.#cluster.reach((node) => void node.append(sid, this.#random.pick(lists)));
    else if (x < 0.84) this.#cluster.reach((node) => void node.save(sid, this.#random.pick(registers)));
    else if (x < 0.95) this.#cluster.reach((node) => void node.load(sid));
    else if (x < 0.975) this.#close();
    else if (x < 0.985) this.#logOut(sid);
    else if (sid === this.#sid) this.#logInAgain(sid);
  }

  #logIn(): void {
    if (this.#isLoggingIn) return;
    this.#isLoggingIn = true;
    const giveUp = this.#world.after(15_000, () => {
      this.#isLoggingIn = false;
    });
    this.#cluster.reach((node) => {
      void node.create().then((sid) => {
        giveUp();
        this.#isLoggingIn = false;
        this.#sid ??= sid;
      });
    });
  }

  /** In the session that it has, which gets a new id. */
  #logInAgain(sid: string): void {
    this.#goOn();
    const logIn = (node: SimulatedNode) => {
      void node.regenerate?.(sid).then((newSid) => {
        if (newSid === undefined || this.#sid !== sid) return;
        this.#forget(sid);
        this.#sid = newSid;
      });
    };
    this.#tickets.outlive(sid, () => this.#cluster.reach(logIn));
  }

  #logOut(sid: string): void {
    this.#goOn();
    if (sid === this.#sid) this.#forget(sid);
    this.#tickets.outlive(sid, () => this.#cluster.reach((node) => void node.end(sid)));
  }

  /** Its tabs don't know that the session is about to end: there is much going on in them. */
  #goOn(): void {
    for (const { socket } of this.#tabs)
      for (let times = 0; times < 5; times++) {
        this.#world.after(this.#random.int(0, 150), () => socket?.say());
        this.#world.after(this.#random.int(0, 150), () => socket?.tell());
      }
  }

  #forget(sid: string): void {
    this.#oldSids.push(sid);
    if (this.#sid === sid) this.#sid = undefined;
  }

  #open(sid: string): void {
    if (this.#tabs.size >= mostTabs) {
      this.#tickets.misuse(sid);
      return;
    }
    const name = `${this.#name}.${++this.#opened}`;
    const tab: Tab = { name, sid, page: this.#tickets.drawPage(), socket: undefined };
    this.#tabs.add(tab);
    this.#note(tab, "outside");
    this.#connect(tab);
  }

  #close(): void {
    const [tab] = this.#tabs;
    if (!tab) return;
    this.#tabs.delete(tab);
    this.#note(tab, "gone");
    tab.socket?.leave();
  }

  /** Looks after the tab from now on, for as long as there is one. */
  #connect(tab: Tab): void {
    const { sid, page } = tab;
    const take = (connect: () => SimulatedSocket) => {
      const isWaiting = this.#tabs.has(tab) && (tab.socket?.state ?? "closed") === "closed";
      if (isWaiting) tab.socket = connect();
    };
    if (page === undefined) this.#cluster.reach((node) => take(() => node.connect(sid)));
    else this.#tickets.enter(sid, page, take, () => this.#drop(tab));
    this.#world.after(this.#random.int(...retryMs), () => this.#watch(tab));
  }

  /** It was told that its session is over. */
  #drop(tab: Tab): void {
    this.#tabs.delete(tab);
    this.#note(tab, "gone");
    if (tab.sid === this.#sid) this.#forget(tab.sid);
  }

  #watch(tab: Tab): void {
    if (!this.#tabs.has(tab)) return;
    const { socket } = tab;
    if (socket?.state === "closed" && socket.isFinal) this.#drop(tab);
    else if (!socket || socket.state === "closed") {
      this.#note(tab, "outside");
      this.#connect(tab);
    } else {
      this.#note(tab, socket.state === "open" ? "inside" : "outside");
      this.#world.after(this.#random.int(...retryMs), () => this.#watch(tab));
    }
  }

  #note(tab: Tab, state: NonNullable<Tab["state"]>): void {
    if (tab.state === state) return;
    tab.state = state;
    const session = this.#cluster.nameOf(tab.sid);
    this.#world.trace.add({ kind: "client", client: `c${tab.name}`, session, state });
  }

  #use(what: (socket: SimulatedSocket) => void): void {
    const open = this.#openSockets();
    if (open.length > 0) what(this.#random.pick(open));
  }

  #openSockets(): SimulatedSocket[] {
    return [...this.#tabs].flatMap(({ socket }) => (socket?.state === "open" ? [socket] : []));
  }
}
