/** A node without Express and Socket.IO: the core alone, used as the facade and the gateway use it. */

import { SessionEnded } from "../../../src/base/errors.ts";
import { fieldsOf } from "../../../src/data/fields.ts";
import { diff } from "../../../src/data/merge.ts";
import { sessionNames } from "../../../src/data/session-key.ts";
import { snapshotOf } from "../../../src/data/snapshot.ts";
import { Actors } from "../../../src/live/actors.ts";
import { Hub } from "../../../src/live/hub.ts";
import { noteSigner } from "../../../src/live/notes.ts";
import { Activity } from "../../../src/session/activity.ts";
import { ConditionalWrites } from "../../../src/session/conditional-writes.ts";
import { endWithReceipt } from "../../../src/session/end-receipt.ts";
import { type Edit, Saves } from "../../../src/session/saves.ts";
import { Tickets } from "../../../src/session/tickets.ts";
import { Updates } from "../../../src/session/updates.ts";
import { UserCap } from "../../../src/session/user-cap.ts";
import type { CookieDocument, SessionKey, StoredSession } from "../../../src/session-store.ts";
import { originOf, type Page } from "../clients/pages.ts";
import { traceReport } from "../crashes.ts";
import { issuedTicket, type TicketAnswer } from "../held-ticket.ts";
import { valuesOf } from "../ledger.ts";
import type { Showing, SimulatedNode } from "../node.ts";
import type { NodeContext } from "../node-context.ts";
import { traceReceipt } from "../receipts.ts";
import type { Values } from "../trace.ts";
import type { Random } from "../world/random.ts";
import { CoreSocket } from "./core-socket.ts";

const maxBytes = 1_000_000;
const ticketMs = 30_000;
const secrets = ["a secret of the simulation"];
const nameOf = sessionNames(secrets);
const sign = noteSigner(secrets);

export function coreNode(context: NodeContext): SimulatedNode {
  return new CoreNode(context);
}

class CoreNode implements SimulatedNode {
  readonly #context: NodeContext;
  readonly #hub: Hub;
  readonly #writes: ConditionalWrites;
  readonly #saves: Saves;
  readonly #updates: Updates;
  readonly #activity: Activity;
  readonly #tickets: Tickets;
  readonly #habits: Random;
  readonly #isCapped: boolean;
  readonly #ends: Random;
  #created = 0;

  constructor(context: NodeContext) {
    const { store, process, settings, world } = context;
    this.#context = context;
    this.#habits = context.random.fork("habits");
    this.#ends = context.random.fork("ends");
    const failed = (error: unknown) => traceReport(world, process, error);
    const events = { changed: () => {}, stored: () => {}, ended: () => {}, feed: () => {}, failed };
    const { cap } = context;
    const userOf = ({ user }: { readonly user?: unknown }) => (user === undefined ? undefined : String(user));
    const lives = { ttlMs: settings.maxAgeMs, absoluteMs: Number.POSITIVE_INFINITY };
    this.#hub = new Hub({
      ...settings,
      ...lives,
      store,
      clock: process.clock,
      actors: new Actors(() => false),
      nodeName: process.name,
      sign,
      events,
    });
    const userCap =
      cap && store.listByUser ? new UserCap(cap, { hub: this.#hub, nameOf, userId: userOf }) : undefined;
    this.#isCapped = userCap !== undefined;
    this.#writes = new ConditionalWrites(this.#hub, lives, userOf, maxBytes, userCap);
    this.#saves = new Saves(this.#hub, this.#writes);
    this.#updates = new Updates(this.#hub, this.#writes, this.#saves, settings.updateTimeoutMs);
    this.#activity = new Activity(this.#hub, this.#saves, { ...settings, ...lives, userOf });
    this.#tickets = new Tickets(this.#hub.store, nameOf, process.clock, ticketMs);
    this.#hub.freshness.feed.start();
  }

  get process() {
    return this.#context.process;
  }

  get live(): number {
    return this.#hub.counts.live;
  }

  async create(): Promise<string | undefined> {
    const key = nameOf(`${this.process.name}.${++this.#created}`);
    const birth = this.#hub.ends.birth(key.sid);
    const held = { fields: fieldsOf({ count: 0 }), cookie: this.#cookie(), isNewId: true };
    const store = async () => {
      const stored = await this.#saves.createNew(key, held, birth, () => {});
      if (!stored) throw new SessionEnded(key.publicId);
      return null;
    };
    // The headers of a login, with its cookie, go out before it is stored: its client may use that at once.
    if (this.#habits.chance(0.03)) void this.end(key.sid);
    const stored = this.#context.operations.run("create", this.process, key.sid, store);
    if (this.#habits.chance(0.1)) this.#look(key.sid);
    return (await stored) ? key.sid : undefined;
  }

  async logIn(): Promise<string | undefined> {
    if (!this.#isCapped) return undefined;
    const key = nameOf(`${this.process.name}.${++this.#created}`);
    const birth = this.#hub.ends.birth(key.sid);
    const held = { fields: fieldsOf({ count: 0, user: "ada" }), cookie: this.#cookie(), isNewId: true };
    const store = async () => {
      const stored = await this.#saves.createNew(key, held, birth, () => {});
      if (!stored) throw new SessionEnded(key.publicId);
      return null;
    };
    const isIn = await this.#context.operations.run("create", this.process, key.sid, store, "capped");
    return isIn ? key.sid : undefined;
  }

  /** A page that is open for a while. */
  #look(sid: string): void {
    const socket = this.connect(sid);
    this.#context.world.after(this.#habits.int(1_000, 60_000), () => socket.leave());
  }

  connect(sid: string, by?: Showing): CoreSocket {
    const socket = new CoreSocket(this.#context, this.#hub, this.#activity, nameOf, sid);
    void socket.join(by, this.#tickets);
    return socket;
  }

  ticket(sid: string, page: Page): Promise<TicketAnswer> {
    return issuedTicket(this.#context, sid, page, async () => {
      const key = nameOf(sid);
      if (!(await this.#load(key))) throw new SessionEnded(key.publicId);
      return this.#tickets.issue(sid, originOf(page));
    });
  }

  async append(sid: string, list: string): Promise<void> {
    const append = async (op: string): Promise<Values> => {
      let saw = valuesOf({});
      await this.#updates.update(nameOf(sid), async (draft) => {
        saw = valuesOf(draft);
        if (this.#context.random.chance(0.2)) await this.#pause(20);
        if (this.#habits.chance(0.002)) await new Promise(() => {}); // it never settles
        draft.count = saw.count + 1;
        draft[list] = [...(saw.lists[list] ?? []), op];
      });
      return saw;
    };
    await this.#context.operations.run("append", this.process, sid, append, list);
  }

  async save(sid: string, register: string): Promise<void> {
    const save = async (op: string): Promise<Values | null> => {
      const key = nameOf(sid);
      const stored = await this.#load(key);
      if (!stored) return null;
      await this.#pause(50);
      const { snapshot } = await this.#saves.save(
        key,
        snapshotOf(structuredClone(stored)),
        this.#edit(stored, register, op),
      );
      if (!snapshot) throw new SessionEnded(key.publicId);
      return valuesOf(stored.document);
    };
    await this.#context.operations.run("save", this.process, sid, save, register);
  }

  /** Of a page with several parts, requests come side by side. */
  async load(sid: string): Promise<void> {
    const parts = this.#habits.chance(0.1) ? 2 : 1;
    await Promise.all(Array.from({ length: parts }, () => this.#loadOnce(sid)));
  }

  async #loadOnce(sid: string): Promise<void> {
    await this.#context.operations.run("load", this.process, sid, async () => {
      const key = nameOf(sid);
      const stored = await this.#load(key);
      if (!stored) return null;
      await this.#activity.onRequest(key, snapshotOf(structuredClone(stored)));
      return valuesOf(stored.document);
    });
  }

  async end(sid: string): Promise<void> {
    await this.#context.operations.run("end", this.process, sid, async () => {
      if (this.#ends.chance(0.2)) await this.#hub.end(nameOf(sid), "destroyed");
      else traceReceipt(this.#context, sid, await endWithReceipt(this.#hub, nameOf(sid), {}));
      return null;
    });
  }

  async #load(key: SessionKey): Promise<StoredSession | null> {
    await this.#hub.lock.settled(key.sid);
    return this.#hub.reads.read(key);
  }

  #edit({ document }: StoredSession, register: string, op: string): Edit {
    const { cookie, ...data } = document;
    const fields = fieldsOf(data);
    const patch = diff(fields, fieldsOf({ ...data, [register]: op }));
    return { base: { fields, cookie }, patch, cookie: this.#cookie(), cookieChanged: false };
  }

  #cookie(): CookieDocument {
    const { maxAgeMs } = this.#context.settings;
    return { originalMaxAge: maxAgeMs, expires: new Date(this.process.now + maxAgeMs).toISOString() };
  }

  #pause(longestMs: number): Promise<void> {
    const { random } = this.#context;
    return new Promise((resolve) => this.process.clock.after(random.int(1, longestMs), resolve));
  }
}
