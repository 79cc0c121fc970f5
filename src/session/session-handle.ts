import type { LiveSession, SessionEndOptions, SessionState } from "../api.ts";
import { invalid, refuseCallback } from "../base/arguments.ts";
import { SocketSessionError } from "../base/errors.ts";
import { type SessionValues, sameFields } from "../data/fields.ts";
import { hasMoved } from "../data/life-time.ts";
import { deepFreeze, type Snapshot } from "../data/snapshot.ts";
import type { Peer } from "../live/actors.ts";
import type { Hub } from "../live/hub.ts";
import { type End, LiveEntry, type Observer } from "../live/live-entry.ts";
import type { SessionKey } from "../session-store.ts";
import { endOptionsOf } from "./end-options.ts";
import { HandleEvents } from "./handle-events.ts";
import { type Change, type OwnObject, overError, type Updates } from "./updates.ts";

export interface HandleContext {
  readonly hub: Hub;
  readonly updates: Updates;
  readonly userId: (data: Readonly<SessionValues>) => string | undefined;
}

const noData = deepFreeze<SessionValues>({});

export interface HandleOptions {
  /** The version that a request loaded: shown until the store has been read. */
  readonly seed?: Snapshot | undefined;
  /** A request's own session object, which `update` refreshes. */
  readonly own?: OwnObject;
  /** The request or socket whose handle it is. */
  readonly peer?: Peer;
}

/**
 * `socket.session` and `sessions.of(req)`: a view of a live session for one socket or request. Applications log it and
 * pass it around, so only the public id is enumerable.
 */
export class SessionHandle extends HandleEvents implements LiveSession {
  readonly publicId: string;
  readonly #context: HandleContext;
  readonly #entry: LiveEntry;
  readonly #own: OwnObject | undefined;
  readonly #peer: Peer | undefined;
  #last: Snapshot | undefined;
  /** The deadline that the listeners know. */
  #reported: number | undefined;
  #observer: Observer | undefined;
  #isReleased = false;

  /** An entry has to be kept live by its owner, a key is kept live by this handle: until `release`. */
  constructor(
    context: HandleContext,
    session: SessionKey | LiveEntry,
    { seed, own, peer }: HandleOptions = {},
  ) {
    super();
    this.#context = context;
    this.#own = own;
    this.#peer = peer;
    this.#last = seed;
    if (session instanceof LiveEntry) this.#entry = session;
    else this.#entry = context.hub.observe(session, this.#observing(), seed);
    this.publicId = this.#entry.key.publicId;
  }

  protected override follow(): void {
    if (this.#observer || this.#isReleased) return;
    this.#last = this.#snapshot; // an update or a reload may have left an older one
    this.#context.hub.observe(this.#entry, this.#observing());
  }

  #observing(): Observer {
    this.#observer = {
      changed: (snapshot, known) => {
        const previous = this.#last ?? known;
        this.#last = snapshot;
        if (!sameFields(previous.fields, snapshot.fields))
          this.notify(this.#context.hub, "change", snapshot.data, previous.data);
        this.#extended(snapshot.expiresAt, previous.expiresAt);
      },
      ended: (end: End) => {
        this.notify(
          this.#context.hub,
          "end",
          end.reason,
          ...(end.message === undefined ? [] : [end.message]),
        );
        this.forgetListeners();
      },
    };
    return this.#observer;
  }

  #extended(expiresAt: number, previous: number): void {
    const { hub } = this.#context;
    this.#reported ??= previous;
    const from = this.#reported;
    if (!hasMoved(from, expiresAt, hub.clock.now())) return;
    this.#reported = expiresAt;
    this.notify(hub, "extend", expiresAt, from);
  }

  get state(): SessionState {
    if (this.#entry.isEnded) return "ended";
    return this.#entry.isUnstored ? "guest" : "live";
  }

  get data(): LiveSession["data"] {
    return this.#snapshot?.data ?? noData;
  }

  get expiresAt(): number {
    return this.#snapshot?.expiresAt ?? 0;
  }

  get userId(): string | undefined {
    return this.#entry.isUnstored ? undefined : this.#context.userId(this.data);
  }

  get #snapshot(): Snapshot | undefined {
    const { state } = this.#entry;
    if (state.phase === "ended") return state.last ?? this.#last;
    if (state.phase === "unstored") return state.initial;
    if (state.phase === "live" && !this.#isReleased) return state.snapshot;
    return this.#last ?? (state.phase === "live" ? state.snapshot : undefined);
  }

  async update<R>(fn: Change<R>, ...none: []): Promise<R> {
    checkChange(fn, none);
    if (this.#entry.isEnded) throw overError(this.#entry);
    const { key } = this.#entry;
    const { result, snapshot } = await this.#act(() => this.#context.updates.update(key, fn, this.#own));
    if (snapshot) this.#last = snapshot;
    return result;
  }

  async reload(...none: []): Promise<LiveSession["data"]> {
    refuseCallback("session.reload()", none);
    const { hub } = this.#context;
    if (this.#entry.isUnstored) return this.data;
    const snapshot = this.#entry.isEnded
      ? null
      : await hub.hold(this.#entry.key, (entry) => hub.reads.load(entry));
    if (!snapshot) throw overError(this.#entry);
    this.#last = snapshot;
    return this.data;
  }

  async end(end?: SessionEndOptions["reason"] | SessionEndOptions, ...none: []): Promise<boolean> {
    const { reason, message } = endOptionsOf(end, none);
    if (this.#entry.isEnded) return false;
    return this.#act(() => this.#context.hub.end(this.#entry.key, reason, { message }));
  }

  #act<T>(run: () => Promise<T>): Promise<T> {
    return this.#context.hub.actors.run({ by: this.#own ? "request" : "socket", peer: this.#peer }, run);
  }

  /** Stops following the session. The last data stay readable, and `update` still works. */
  release(): void {
    this.#last = this.#snapshot;
    this.#isReleased = true;
    if (this.#observer) this.#context.hub.release(this.#entry, this.#observer);
    if (!this.#entry.isEnded) this.forgetListeners(); // else the `end` event is still to come, and clears them
  }
}

/** Of a guest without a session: no data, and nothing to write to. It shows as little when logged. */
export class GuestHandle extends HandleEvents implements LiveSession {
  readonly publicId = "";

  get state(): SessionState {
    return "guest";
  }

  get data(): LiveSession["data"] {
    return noData;
  }

  get expiresAt(): number {
    return Number.POSITIVE_INFINITY;
  }

  get userId(): undefined {
    return undefined;
  }

  async update(fn: Change<unknown>, ...none: []): Promise<never> {
    checkChange(fn, none);
    throw guestError("update");
  }

  async reload(...none: []): Promise<LiveSession["data"]> {
    refuseCallback("session.reload()", none);
    return this.data;
  }

  async end(end?: SessionEndOptions["reason"] | SessionEndOptions, ...none: []): Promise<boolean> {
    endOptionsOf(end, none);
    return false;
  }

  release(): void {
    this.forgetListeners();
  }
}

function checkChange(fn: unknown, rest: readonly unknown[]): void {
  refuseCallback("session.update()", rest);
  if (typeof fn === "function") return;
  const cure = "Write update((s) => { s.name = … }): the function changes what it is given.";
  throw invalid("session.update() expects a function", fn, cure);
}

function guestError(operation: string): SocketSessionError {
  return new SocketSessionError(
    "SESSION_GUEST",
    `${operation}() needs a stored session, and this socket is a guest's. Check socket.session.state, and let the visitor log in over HTTP first, or set guests: "create".`,
  );
}
