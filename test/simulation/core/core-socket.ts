/** A client's socket as the core sees it: an observer of its session, registered before the session is read. */

import type { Snapshot } from "../../../src/data/snapshot.ts";
import type { Hub } from "../../../src/live/hub.ts";
import type { End, LiveEntry, Observer } from "../../../src/live/live-entry.ts";
import type { Activity } from "../../../src/session/activity.ts";
import type { EndReason, SessionKey } from "../../../src/session-store.ts";
import { staysAway } from "../client-ends.ts";
import { valuesOf } from "../ledger.ts";
import type { SimulatedSocket } from "../node.ts";
import type { NodeContext } from "../node-context.ts";
import { codeOf } from "../operations.ts";

export class CoreSocket implements SimulatedSocket {
  readonly #context: NodeContext;
  readonly #hub: Hub;
  readonly #activity: Activity;
  readonly #about: { readonly socket: string; readonly node: string; readonly session: string };
  readonly #entry: LiveEntry;
  /** The latest data that the application has received. */
  #shown: Snapshot | undefined;
  readonly #observer: Observer = {
    changed: (snapshot) => {
      this.#shown = snapshot;
    },
    ended: ({ reason }: End) => this.#close(reason),
  };
  #state: SimulatedSocket["state"] = "asking";
  #isFinal = false;

  constructor(context: NodeContext, hub: Hub, activity: Activity, key: SessionKey) {
    const { world, process, ledger } = context;
    this.#context = context;
    this.#hub = hub;
    this.#activity = activity;
    this.#about = { socket: ledger.nextSocket(), node: process.name, session: ledger.nameOf(key.sid) };
    world.trace.add({ kind: "asks", ...this.#about });
    this.#entry = hub.observe(key, this.#observer);
    process.onKill(() => this.#close("killed"));
    void this.#load();
  }

  get state(): SimulatedSocket["state"] {
    return this.#state;
  }

  get isFinal(): boolean {
    return this.#isFinal;
  }

  say(): void {
    this.#reach(() => {
      if (this.#serve("client")) this.#activity.onEvent(this.#entry);
    });
  }

  tell(): void {
    this.#reach(() => this.#serve("application"));
  }

  leave(): void {
    this.#reach(() => {
      this.#close("left");
      this.#hub.release(this.#entry, this.#observer);
    });
  }

  async #load(): Promise<void> {
    try {
      const snapshot = await this.#hub.reads.load(this.#entry);
      if (this.#state === "closed") return;
      if (!snapshot || this.#entry.isEnded) return this.#refuse("SESSION_ENDED", true);
      this.#state = "open";
      this.#shown = this.#entry.snapshot;
      this.#context.world.trace.add({ kind: "admitted", ...this.#about });
      this.#activity.onEvent(this.#entry);
    } catch (error) {
      this.#refuse(codeOf(error), false);
    }
  }

  #refuse(code: string, final: boolean): void {
    this.#hub.release(this.#entry, this.#observer);
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
    if (this.#state !== "open" || !this.#hub.freshness.isServable(this.#entry)) return false;
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
