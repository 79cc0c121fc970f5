/**
 * What becomes of the tickets of a visitor: its pages come in by them; and they get into other hands, are shown again, late,
 * from another page, beside another cookie, or when their session is over.
 */
import { type Page, pages } from "./clients/pages.ts";
import type { Cluster } from "./cluster.ts";
import type { HeldTicket, Showing, SimulatedSocket } from "./node.ts";
import type { Random } from "./world/random.ts";
import type { World } from "./world/world.ts";

/** How likely it is that a ticket does not stay with the page that it is for. */
const leaks = 0.4;

export class TicketUsers {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #random: Random;

  constructor(world: World, cluster: Cluster, random: Random) {
    this.#world = world;
    this.#cluster = cluster;
    this.#random = random;
  }

  /** Where a new page comes from; undefined if it comes by its cookie. */
  drawPage(): Page | undefined {
    return this.#random.chance(0.2) ? this.#random.pick(pages) : undefined;
  }

  /** Gets a ticket from a node, and shows it to that or to another; `over` is called if there is no session any more. */
  enter(sid: string, page: Page, entered: (connect: () => SimulatedSocket) => void, over: () => void): void {
    this.#ask(sid, page, over, (ticket) => {
      this.#cluster.reach((node) => entered(() => node.connect(sid, { ticket, page, cookie: "none" })));
      if (this.#random.chance(leaks)) this.#leak(sid, ticket);
    });
  }

  /** A ticket is fetched to be misused. */
  misuse(sid: string): void {
    if (!this.#random.chance(0.2)) return;
    this.#ask(
      sid,
      this.#random.pick(pages),
      () => {},
      (ticket) => this.#leak(sid, ticket),
    );
  }

  /** Calls `end`, which ends the session; sometimes it gets a ticket before, and shows it after that. */
  outlive(sid: string, end: () => void): void {
    let isOver = false;
    const endOnce = () => {
      if (!isOver) end();
      isOver = true;
    };
    if (!this.#random.chance(leaks)) {
      endOnce();
      return;
    }
    const page = this.#random.pick(pages);
    this.#world.after(2_000, endOnce);
    this.#ask(sid, page, endOnce, (ticket) => {
      endOnce();
      this.#later([50, 3_000], () => this.#show(sid, { ticket, page, cookie: "none" }));
    });
  }

  #ask(sid: string, page: Page, over: () => void, got: (ticket: HeldTicket) => void): void {
    this.#cluster.reach((node) => {
      void node.ticket(sid, page).then((answer) => {
        if (answer === "over") over();
        else if (answer) got(answer);
      });
    });
  }

  #leak(sid: string, ticket: HeldTicket): void {
    const { page } = ticket;
    const how = this.#random.pick(["twice", "thrice", "again", "late", "page", "cookie"]);
    const cookie = how === "cookie" ? this.#random.pick(["own", "another"] as const) : "none";
    const show = () =>
      this.#show(sid, { ticket, page: how === "page" ? this.#otherThan(page) : page, cookie });
    if (how === "again") this.#later([100, 20_000], show);
    else if (how === "late") this.#later([30_000, 60_000], show);
    else show();
    if (how === "thrice") show();
  }

  #otherThan(page: Page): Page {
    return this.#random.pick(pages.filter((one) => one !== page));
  }

  #later([low, high]: readonly [number, number], run: () => void): void {
    this.#world.after(this.#random.int(low, high), run);
  }

  /** Says something, and stays for a while. */
  #show(sid: string, showing: Showing): void {
    this.#cluster.reach((node) => {
      const socket = node.connect(sid, showing);
      this.#later([500, 5_000], () => socket.say());
      this.#later([5_000, 10_000], () => socket.leave());
    });
  }
}
