import type { Namespace, Socket } from "socket.io";
import { Deadlines } from "../base/deadlines.ts";
import { SessionRefused } from "../base/errors.ts";
import { isolate } from "../base/isolated-emitter.ts";
import type { Hub } from "../live/hub.ts";
import type { LiveEntry, Observer } from "../live/live-entry.ts";
import { type ForbiddenMessage, forbiddenEvent } from "../protocol.ts";
import type { Rule } from "../session/rule.ts";
import { rulesOf } from "./namespace-rules.ts";
import { farewellOf, sendPacket } from "./refusal-packet.ts";
import { type Codec, type EngineConnection, packetTypes } from "./upstream.ts";
import {
  discardPackets,
  forgetRooms,
  ignoreLatePackets,
  joinRoom,
  leaveBroadcasts,
  leaveRoom,
} from "./upstream-rules.ts";

/** The connection of a socket, and the session that it has proven. */
export interface Followed {
  readonly entry: LiveEntry;
  readonly connection: EngineConnection;
  readonly codec: Codec;
  /** Knows which of its sockets are not gone. */
  readonly holder: { has(socket: Socket): boolean };
}

/** What a rule is about: a socket in its namespace, or in a room. */
export interface Ruled {
  readonly socket: Socket;
  readonly followed: Followed;
  readonly rule: Rule;
  /** Undefined for the namespace. */
  readonly room: string | undefined;
}

/** A place where a socket may be for as long as a rule holds. */
interface Place extends Ruled {
  /** The rule holds until then, unless the data change. */
  until: number;
}

/** The places of all sockets of one live session. */
interface Watch extends Observer {
  readonly entry: LiveEntry;
  readonly places: Set<Place>;
  /** When the first of the rules runs out. */
  due: number;
}

type Data = Parameters<Rule["until"]>[0];

/** A rule has refused a socket its namespace, or has taken it out of that or of the room. Runs code of the application. */
export type OnForbidden = (ruled: Ruled, data: Data) => void;

const watchBySocket = new WeakMap<Socket, Watch>();

/**
 * The rules that hold sockets in their namespaces and rooms. Once data or time make one false, its socket is out: first
 * every socket of the session is silenced, and only then is application code called.
 */
export class SocketRules {
  readonly #hub: Hub;
  readonly #onForbidden: OnForbidden;
  readonly #watches = new WeakMap<LiveEntry, Watch>();
  /** Sockets that are out of their namespace, or will be refused it once their middleware is through. */
  readonly #refusals = new WeakMap<Socket, SessionRefused>();
  readonly #deadlines: Deadlines<Watch>;

  constructor(hub: Hub, onForbidden: OnForbidden) {
    this.#hub = hub;
    this.#onForbidden = onForbidden;
    this.#deadlines = new Deadlines(hub.clock, (watch) => this.#enforce(watch));
  }

  /**
   * Lets a socket stay in its namespace, or join `room`, for as long as the rule holds. Returns the refusal if it does not, or if
   * the session is not stored. Throws as `Rule.until`.
   */
  keep(socket: Socket, followed: Followed, rule: Rule, room?: string): SessionRefused | undefined {
    const refusal = this.refusalOf(socket);
    if (refusal) return refusal;
    const { entry } = followed;
    const data = entry.snapshot?.data;
    const until = data ? rule.until(data) : Number.NEGATIVE_INFINITY;
    const place: Place = { socket, followed, rule, room, until };
    const isOver = until <= this.#hub.clock.now();
    if (isOver && room === undefined) this.#announce(place, data);
    const isHere = followed.holder.has(socket); // a handler may still ask for a room after an `await`
    if (isOver || !isHere) return refusalBy(rule);
    const watch = this.#watchOf(entry);
    watchBySocket.set(socket, watch);
    const isKnown = [...watch.places].some((one) => one.rule === rule && isSamePlace(one, place));
    if (!isKnown) watch.places.add(place);
    this.#schedule(watch);
    if (room !== undefined) this.#join(socket, room);
    return undefined;
  }

  /** Whether a session satisfies the rules among a namespace's middleware. */
  allow(namespace: Namespace, { entry }: Followed): boolean {
    return rulesOf(namespace).every((rule) => this.#holds(rule, entry));
  }

  /** Applies the rules of its namespace to a recovered socket, as Socket.IO may skip the middleware. */
  recovered(socket: Socket, followed: Followed): void {
    for (const rule of rulesOf(socket.nsp)) {
      const ruled: Ruled = { socket, followed, rule, room: undefined };
      if (this.#holds(rule, followed.entry)) this.keep(socket, followed, rule);
      else if (this.#bar(ruled)) this.#announce(ruled, followed.entry.snapshot?.data);
    }
  }

  /** Why a socket is out of its namespace, if it is. A rule that has run out takes it out now. */
  refusalOf(socket: Socket): SessionRefused | undefined {
    const watch = watchBySocket.get(socket);
    if (watch && watch.due <= this.#hub.clock.now()) this.#enforce(watch);
    return this.#refusals.get(socket);
  }

  /** The socket is gone, even if it never connected. */
  left(socket: Socket): void {
    const watch = watchBySocket.get(socket);
    if (!watch) return;
    watchBySocket.delete(socket);
    this.#forget(watch, (place) => place.socket === socket);
  }

  #watchOf(entry: LiveEntry): Watch {
    const known = this.#watches.get(entry);
    if (known) return known;
    const changed = () => this.#enforce(watch);
    const watch: Watch = { rank: 0, changed, entry, places: new Set(), due: Number.POSITIVE_INFINITY };
    this.#watches.set(entry, watch);
    this.#hub.observe(entry, watch);
    return watch;
  }

  #forget(watch: Watch, isForgotten: (place: Place) => boolean): void {
    for (const place of watch.places) if (isForgotten(place)) watch.places.delete(place);
    this.#schedule(watch);
    if (watch.places.size > 0 || this.#watches.get(watch.entry) !== watch) return;
    this.#watches.delete(watch.entry);
    this.#hub.release(watch.entry, watch);
  }

  #schedule(watch: Watch): void {
    watch.due = Math.min(...[...watch.places].map(({ until }) => until));
    if (Number.isFinite(watch.due)) this.#deadlines.set(watch, watch.due);
    else this.#deadlines.delete(watch);
  }

  #join(socket: Socket, room: string): void {
    forgetRooms(socket.nsp, isGuarded);
    const joined = () => {
      if (!isGuarded(socket, room)) this.#leave(socket, room); // while the adapter was joining
    };
    this.#attempt(() => joinRoom(socket, room, joined));
  }

  #leave(socket: Socket, room: string): void {
    this.#attempt(() => leaveRoom(socket, room));
  }

  /** Asks all rules of a session again, and takes its sockets out of the places where one no longer holds. */
  #enforce(watch: Watch): void {
    const data = watch.entry.snapshot?.data;
    if (!data) return; // it has ended, and nothing is served
    const now = this.#hub.clock.now();
    watch.due = Number.POSITIVE_INFINITY; // until `#forget`: code that is called here may ask for a refusal
    for (const place of watch.places) place.until = this.#until(place.rule, data);
    const lost = [...watch.places].filter(({ until }) => until <= now);
    const barred = lost.filter((place) => place.room === undefined && this.#bar(place));
    const rooms = lost.filter(({ socket, room }) => room !== undefined && !this.#refusals.has(socket));
    this.#forget(watch, (place) => lost.some((one) => isSamePlace(one, place)));
    const left = rooms.filter((place) => this.#expel(place));
    for (const { socket } of barred) this.#attempt(() => void socket.disconnect());
    for (const place of [...barred, ...left]) this.#announce(place, data);
  }

  /** `data`: undefined if the session has ended, which is why the socket is out. */
  #announce(ruled: Ruled, data: Data | undefined): void {
    if (data) this.#onForbidden(ruled, data);
  }

  #holds(rule: Rule, { snapshot }: LiveEntry): boolean {
    return snapshot !== undefined && this.#until(rule, snapshot.data) > this.#hub.clock.now();
  }

  #until(rule: Rule, data: Data): number {
    try {
      return rule.until(data);
    } catch (error) {
      this.#hub.report(error);
      return Number.NEGATIVE_INFINITY;
    }
  }

  /** Silences a socket, and sends the client the code; one that is not connected yet is refused later. False if it was silent. */
  #bar({ socket, followed, rule }: Ruled): boolean {
    if (this.#refusals.has(socket)) return false;
    this.#refusals.set(socket, refusalBy(rule));
    if (!socket.connected) return true;
    leaveBroadcasts(socket);
    ignoreLatePackets(socket);
    const namespace = socket.nsp.name;
    const { connection, codec } = followed;
    // a client that does not know yet that it is connected would ignore the message
    const isStale = ({ nsp, type }: { nsp: string; type: number }) =>
      nsp === namespace && type !== packetTypes.CONNECT;
    this.#attempt(() => discardPackets(connection, codec, isStale));
    const message: ForbiddenMessage = { code: rule.code, namespace };
    for (const packet of farewellOf(namespace, forbiddenEvent, message))
      this.#attempt(() => sendPacket(connection, codec, packet));
    return true;
  }

  /** Takes a socket out of a room, and sends the client the code. False if it had left. */
  #expel({ socket, followed, rule, room }: Ruled): boolean {
    if (room === undefined || !socket.rooms.has(room)) return false;
    this.#leave(socket, room);
    const message: ForbiddenMessage = { code: rule.code, room };
    const packet = { type: packetTypes.EVENT, nsp: socket.nsp.name, data: [forbiddenEvent, message] };
    this.#attempt(() => sendPacket(followed.connection, followed.codec, packet));
    return true;
  }

  /** If the application's parser, adapter or listeners fail in one step, the next runs all the same. */
  #attempt(step: () => unknown): void {
    isolate(
      step,
      this.#hub.report,
      "A parser, adapter or listener of the application, as a rule was applied,",
    );
  }
}

function refusalBy({ code }: Rule): SessionRefused {
  return new SessionRefused("SESSION_FORBIDDEN", code);
}

function isSamePlace(one: Place, other: Place): boolean {
  return one.socket === other.socket && one.room === other.room;
}

function isGuarded(socket: Socket | undefined, room: string): boolean {
  const places = [...((socket && watchBySocket.get(socket)?.places) ?? [])];
  return places.some((place) => place.socket === socket && place.room === room);
}
