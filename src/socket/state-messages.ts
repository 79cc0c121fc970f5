import type { Socket } from "socket.io";
import { isolate } from "../base/isolated-emitter.ts";
import { type Fields, sameFields } from "../data/fields.ts";
import { cookieLifeMs, hasMoved } from "../data/life-time.ts";
import type { Snapshot } from "../data/snapshot.ts";
import type { Hub } from "../live/hub.ts";
import type { LiveEntry, Observer } from "../live/live-entry.ts";
import { type StateMessage, stateEvent } from "../protocol.ts";
import { liveState, type Share } from "../session/share.ts";
import { sendPacket } from "./refusal-packet.ts";
import { type Codec, type EngineConnection, packetTypes } from "./upstream.ts";
import { guardOf } from "./upstream-traffic.ts";

interface StateContext {
  readonly hub: Hub;
  readonly share: Share;
  readonly codec: Codec;
  readonly isExempt: (namespace: string) => boolean;
}

/** What the pages of a session have received. */
interface Known {
  /** Of the data that `shared` was made of. */
  readonly fields: Fields;
  readonly shared: string | undefined;
  readonly expiresAt: number;
  readonly cookieMs: number | undefined;
}

/** The connected sockets of one live session. */
interface Watch extends Observer {
  readonly entry: LiveEntry;
  readonly members: Set<Socket>;
  /** Undefined for a guest, whose session is not stored. */
  known: Known | undefined;
}

/**
 * Sends each socket the state of its session, as it connects and whenever that changes: after rules have taken sockets out,
 * and before application code learns of the change. Past the adapter and listeners of outgoing events, as the message is
 * for this one socket and is soon out of date: a recovery must not send it again.
 */
export class StateMessages {
  readonly #context: StateContext;
  readonly #watches = new WeakMap<LiveEntry, Watch>();

  constructor(context: StateContext) {
    this.#context = context;
  }

  /** The client knows that it is connected, and the application does not yet. A rule may have taken it out in between. */
  connected(socket: Socket, connection: EngineConnection): void {
    if (!socket.connected || this.#context.isExempt(socket.nsp.name)) return;
    const entry = guardOf(socket)?.followed?.entry;
    if (!entry) this.#send(socket, connection, { state: "guest" });
    if (!entry || entry.isEnded) return;
    const watch = this.#watchOf(entry);
    watch.members.add(socket); // before code of the application is called, which may disconnect it
    watch.known ??= entry.snapshot && this.#knownOf(entry.snapshot, undefined);
    this.#send(socket, connection, this.#messageOf(watch));
  }

  /** The socket is gone, even if it never connected. */
  left(socket: Socket, entry: LiveEntry): void {
    const watch = this.#watches.get(entry);
    if (!watch?.members.delete(socket) || watch.members.size > 0) return;
    this.#watches.delete(entry);
    this.#context.hub.release(entry, watch);
  }

  #watchOf(entry: LiveEntry): Watch {
    const found = this.#watches.get(entry);
    if (found) return found;
    const changed = (snapshot: Snapshot) => this.#changed(watch, snapshot);
    const watch: Watch = { rank: 1, changed, entry, members: new Set(), known: undefined };
    this.#watches.set(entry, watch);
    this.#context.hub.observe(entry, watch);
    return watch;
  }

  #changed(watch: Watch, snapshot: Snapshot): void {
    const before = watch.known;
    const known = this.#knownOf(snapshot, before);
    watch.known = known;
    const isNew =
      known.shared !== before?.shared ||
      known.cookieMs !== before?.cookieMs ||
      known.expiresAt !== before?.expiresAt;
    if (!isNew) return;
    const message = this.#messageOf(watch);
    for (const socket of watch.members) {
      const { followed } = guardOf(socket) ?? {};
      if (followed) this.#send(socket, followed.connection, message);
    }
  }

  /** `before`: small moves of the deadline it contains are none. */
  #knownOf(snapshot: Snapshot, before: Known | undefined): Known {
    const { share, hub } = this.#context;
    const { fields, cookie, expiresAt } = snapshot;
    const isSame = before !== undefined && sameFields(before.fields, fields);
    const isNear = before !== undefined && !hasMoved(before.expiresAt, expiresAt, hub.clock.now());
    return {
      fields,
      shared: isSame ? before.shared : share.textOf(snapshot.data),
      expiresAt: isNear ? before.expiresAt : expiresAt,
      cookieMs: cookieLifeMs(cookie),
    };
  }

  #messageOf({ entry, known }: Watch): StateMessage {
    const { snapshot } = entry;
    const now = this.#context.hub.clock.now();
    return snapshot ? liveState(entry.key, snapshot, now, known?.shared) : { state: "guest" };
  }

  #send(socket: Socket, connection: EngineConnection, message: StateMessage): void {
    const { codec, hub } = this.#context;
    if (guardOf(socket)?.rules.refusalOf(socket)) return;
    const packet = { type: packetTypes.EVENT, nsp: socket.nsp.name, data: [stateEvent, message] };
    isolate(
      () => sendPacket(connection, codec, packet),
      hub.report,
      "A parser of the application, as the state of a session was sent,",
    );
  }
}
