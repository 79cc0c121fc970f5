/** The log of life cycles: which sessions this process stores and ends, who logs in, and who is kept out. */
import { channel } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import type { Socket } from "socket.io";
import type { LifecycleEvent } from "./api.ts";
import { onOneLine } from "./base/shown.ts";
import type { SessionValues } from "./data/fields.ts";
import type { Snapshot } from "./data/snapshot.ts";
import type { Request } from "./http/request-checks.ts";
import { pathOf } from "./http/request-path.ts";
import { type Actor, Actors, type Peer } from "./live/actors.ts";
import type { End } from "./live/live-entry.ts";
import type { ResolvedOptions } from "./options/options.ts";
import type { RefusalCode } from "./protocol.ts";
import type { SessionKey } from "./session-store.ts";
import { clientAddress } from "./socket/client-address.ts";

/** For what observes the process from outside of the application, such as an agent of a monitoring service. */
const subscribers = channel("socket-session:lifecycle");

interface Outlet {
  readonly hasListeners: () => boolean;
  readonly emit: (event: LifecycleEvent) => void;
}

/** What a rule keeps a session out of. */
type Place = { readonly request: Request } | { readonly socket: Socket; readonly room: string | undefined };

/** Of what a client may have chosen: a path, or the name of a dynamic namespace or a room. */
const maxNameLength = 500;

/** Nothing is made of what happens while there is neither a listener nor a subscriber. */
export class Lifecycle {
  /** Who acts, for what the store is called with. */
  readonly actors = new Actors(() => this.#isFollowed);
  readonly #options: ResolvedOptions;
  readonly #userOf: (data: Readonly<SessionValues>) => string | undefined;
  readonly #outlet: Outlet;

  constructor(
    options: ResolvedOptions,
    userOf: (data: Readonly<SessionValues>) => string | undefined,
    outlet: Outlet,
  ) {
    this.#options = options;
    this.#userOf = userOf;
    this.#outlet = outlet;
  }

  /** This process has stored a version, see `HubEvents.stored`. */
  stored(key: SessionKey, snapshot: Snapshot, previous: Snapshot | undefined): void {
    if (!this.#isFollowed) return; // neither is the id hashed, nor are the data parsed
    const { publicId } = key;
    const userId = this.#userOf(snapshot.data);
    const { by, peer } = this.actors.current;
    const about = { ...this.#at(peer), publicId, userId, by };
    if (!previous) this.#publish({ type: "created", ...about });
    const before = previous && this.#userOf(previous.data);
    if (userId !== undefined && userId !== before) this.#publish({ type: "login", ...about });
  }

  /** `sessions.login()` has stored a session. If there is a `userId` option, `stored` has reported it. */
  loggedIn(publicId: string, request: Peer): void {
    if (this.#options.userId || !this.#isFollowed) return;
    this.#publish({ type: "login", ...this.#at(request), publicId, userId: undefined, by: "request" });
  }

  /** The session of a request goes on, as its page has asked. */
  renewed(key: SessionKey, request: Request): void {
    if (!this.#isFollowed) return;
    const by = "request";
    const userId = this.#userAs({ by, peer: request }, key);
    this.#publish({ type: "renewed", ...this.#at(request), publicId: key.publicId, userId, by });
  }

  ended(key: SessionKey, { reason, by: actor }: End, last: Snapshot | undefined): void {
    if (reason === "unverified" || !this.#isFollowed) return; // the stored session may still exist
    const by = actor?.by ?? (reason === "expired" ? "time" : "elsewhere");
    const userId = last ? this.#userOf(last.data) : this.#userAs(actor, key);
    const { publicId } = key;
    this.#publish({ type: "ended", ...this.#at(actor?.peer), publicId, userId, reason, by });
  }

  refused(code: RefusalCode, request: IncomingMessage | undefined): void {
    if (this.#isFollowed) this.#publish({ type: "refused", ...this.#at(request), code });
  }

  /** A rule does not hold for the session of a request or socket. */
  forbidden(code: string, key: SessionKey, data: Readonly<SessionValues>, place: Place): void {
    if (!this.#isFollowed) return;
    const { publicId } = key;
    const at = this.#at("request" in place ? place.request : place.socket);
    const userId = this.#userOf(data);
    this.#publish({ type: "forbidden", ...at, publicId, userId, code, ...namesOf(place) });
  }

  get #isFollowed(): boolean {
    return subscribers.hasSubscribers || this.#outlet.hasListeners();
  }

  /** The user of a session that may not be live here, if the request that acts has loaded it. */
  #userAs(actor: Actor | undefined, { sid }: SessionKey): string | undefined {
    const { peer, userId } = actor ?? {};
    const session = peer && "headers" in peer ? peer.session : undefined;
    return session?.id === sid ? this.#userOf({ ...session }) : userId;
  }

  #at(peer: Peer | undefined): { at: number; address: string | undefined } {
    const { clock, trustProxy } = this.#options;
    const [headers, address] =
      peer && "handshake" in peer
        ? [peer.handshake.headers, peer.handshake.address]
        : [peer?.headers, peer?.socket?.remoteAddress];
    return { at: clock.now(), address: clientAddress(headers, address, trustProxy) };
  }

  #publish(event: LifecycleEvent): void {
    Object.freeze(event);
    subscribers.publish(event);
    this.#outlet.emit(event);
  }
}

function namesOf(place: Place) {
  if ("request" in place) {
    const { originalUrl, url } = place.request;
    return { path: nameIn(pathOf(originalUrl ?? url)), namespace: undefined, room: undefined };
  }
  const { socket, room } = place;
  return { path: undefined, namespace: nameIn(socket.nsp.name), room: room && nameIn(room) };
}

/** As it is, but short and on one line: it can't forge a second line of a log. */
function nameIn(name: string): string {
  return onOneLine(name.slice(0, maxNameLength));
}
