/** A client's socket as the core sees it: an observer of its session, registered before the session is read. */

import type { Snapshot } from "../../../src/data/snapshot.ts";
import type { Hub } from "../../../src/live/hub.ts";
import type { End, LiveEntry, Observer } from "../../../src/live/live-entry.ts";
import type { Activity } from "../../../src/session/activity.ts";
import type { Tickets } from "../../../src/session/tickets.ts";
import type { EndReason, SessionKey } from "../../../src/session-store.ts";
import { staysAway } from "../client-ends.ts";
import { originOf } from "../clients/pages.ts";
import { valuesOf } from "../ledger.ts";
import type { Showing, SimulatedSocket } from "../node.ts";
import type { NodeContext } from "../node-context.ts";
import { codeOf } from "../operations.ts";

export class CoreSocket implements SimulatedSocket {
  readonly #context: NodeContext;
  readonly #hub: Hub;
  readonly #activity: Activity;
  readonly #nameOf: (sid: string) => SessionKey;
  readonly #sid: string;
  readonly #about: { readonly socket: string; readonly node: string; readonly session: string };
  /** Undefined until the client has proven its session. */
  #entry: LiveEntry | undefined;
  /** The latest data that the application has received. */
  #shown: Snapshot | undefined;
  readonly #observer: Observer = {
    sockets: 1,
    changed: (snapshot) => {
      this.#shown = snapshot;
    },
    ended: ({ reason }: End) => {
      this.#close(reason);
      this.#release();
    },
  };
  #state: SimulatedSocket["state"] = "asking";
  #isFinal = false;

  constructor(
    context: NodeContext,
    hub: Hub,
    activity: Activity,
    nameOf: (sid: string) => SessionKey,
    sid: string,
  ) {
    const { world, process, ledger } = context;
    this.#context = context;
    this.#hub = hub;
    this.#activity = activity;
    this.#nameOf = nameOf;
    this.#sid = sid;
    this.#about = { socket: ledger.nextSocket(), node: process.name, session: ledger.nameOf(sid) };
    world.trace.add({ kind: "asks", ...this.#about });
    process.onKill(() => this.#close("killed"));
  }

  /** By the session's id, or by a ticket. There are no cookies here. */
  async join(by: Showing | undefined, tickets: Tickets): Promise<void> {
    try {
      const sid = by ? await this.#redeem(by, tickets) : this.#sid;
      if (sid === undefined) this.#refuse("TICKET_INVALID", true);
      else if (this.#state !== "closed") await this.#load(sid);
    } catch (error) {
      this.#refuse(codeOf(error), false);
    }
  }

  get state(): SimulatedSocket["state"] {
    return this.#state;
  }

  get isFinal(): boolean {
    return this.#isFinal;
  }

  say(): void {
    this.#reach(() => {
      if (this.#serve("client") && this.#entry) this.#activity.onEvent(this.#entry);
    });
  }

  tell(): void {
    this.#reach(() => this.#serve("application"));
  }

  leave(): void {
    this.#reach(() => {
      this.#close("left");
      this.#release();
    });
  }

  #redeem({ ticket, page }: Showing, tickets: Tickets): Promise<string | undefined> {
    const { socket } = this.#about;
    const shown = { ticket: ticket.name, ...this.#about, connection: socket, page, cookie: "none" } as const;
    this.#context.world.trace.add({ kind: "shown", ...shown });
    return tickets.redeem(ticket.text, originOf(page));
  }

  /** Rejects if the store fails. */
  async #load(sid: string): Promise<void> {
    const entry = this.#hub.observe(this.#nameOf(sid), this.#observer);
    this.#entry = entry;
    const snapshot = await this.#hub.reads.load(entry);
    if (this.#state === "closed") return;
    if (!snapshot || entry.isEnded) return this.#refuse("SESSION_ENDED", true);
    this.#state = "open";
    this.#shown = entry.snapshot;
    const session = this.#context.ledger.nameOf(sid);
    this.#context.world.trace.add({ kind: "admitted", ...this.#about, session });
    this.#activity.onEvent(entry);
  }

  #release(): void {
    if (this.#entry) this.#hub.release(this.#entry, this.#observer);
  }

  #refuse(code: string, final: boolean): void {
    this.#release();
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#isFinal = final;
    this.#context.world.trace.add({ kind: "refused", ...this.#about, code, final });
  }

  /** A client's message reaches a paused node once that resumes. */
  #reach(run: () => void): void {
    const { world, process, random } = this.#context;
    world.after(random.int(1, 10), run, process);
  }

  #serve(by: "client" | "application"): boolean {
    const { world } = this.#context;
    if (this.#state !== "open" || !this.#entry || !this.#hub.freshness.isServable(this.#entry)) return false;
    const shown = this.#shown;
    if (shown) world.trace.add({ kind: "served", ...this.#about, values: valuesOf(shown.data), by });
    return true;
  }

  #close(reason: EndReason | "left" | "killed"): void {
    if (this.#state === "closed") return;
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    this.#isFinal = staysAway(reason);
    const { trace } = this.#context.world;
    if (wasOpen) trace.add({ kind: "closed", ...this.#about, reason });
    else trace.add({ kind: "refused", ...this.#about, code: reason, final: this.#isFinal });
  }
}
