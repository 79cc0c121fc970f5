import { AsyncLocalStorage } from "node:async_hooks";

export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

interface RequestPeer {
  readonly headers: RequestHeaders;
  readonly socket?: { readonly remoteAddress?: string | undefined };
  readonly session?: { readonly id?: string };
}

interface SocketPeer {
  readonly handshake: { readonly headers: RequestHeaders; readonly address: string };
}

/** A request, or a socket of Socket.IO. */
export type Peer = RequestPeer | SocketPeer;

/** Whether `request` is one of HTTP: an application may put anything at a session's `req`. */
export function isPeer(request: object): request is RequestPeer {
  return "headers" in request && typeof request.headers === "object" && request.headers !== null;
}

/** On whose behalf this process stores or ends a session. */
export interface Actor {
  readonly by: "request" | "socket" | "application";
  readonly peer?: Peer | undefined;
  /** The user whose sessions the application ends. */
  readonly userId?: string | undefined;
}

const application: Actor = { by: "application" };

/**
 * Remembers the actor from an entry point of this package to the store's answer. The code in between awaits nothing but
 * promises, so the context does not get lost in an application's or a driver's callbacks.
 */
export class Actors {
  readonly #storage = new AsyncLocalStorage<Actor>();
  readonly #isFollowed: () => boolean;

  /** `isFollowed`: whether anything asks for the actor. If not, `run` only calls its function. */
  constructor(isFollowed: () => boolean) {
    this.#isFollowed = isFollowed;
  }

  get current(): Actor {
    return this.#storage.getStore() ?? application;
  }

  run<T>(actor: Actor, fn: () => T): T {
    return this.#isFollowed() ? this.#storage.run(actor, fn) : fn();
  }
}
