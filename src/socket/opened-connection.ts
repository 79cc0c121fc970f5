import type { Proof } from "./admission.ts";
import type { SessionConnection } from "./session-connection.ts";
import type { EngineConnection } from "./upstream.ts";

/** An open Engine.IO connection, what it has proven, and the session that it got for that. */
export class OpenedConnection {
  readonly connection: EngineConnection;
  readonly proof: Proof;
  #own: SessionConnection | undefined;
  #guest: SessionConnection | undefined;

  /** `guest`: the session of a client that may still bring a ticket. The caller calls `closed` when the connection closes. */
  constructor(connection: EngineConnection, proof: Proof, guest?: SessionConnection) {
    this.connection = connection;
    this.proof = proof;
    this.#guest = guest;
  }

  closed(): void {
    this.#guest?.release();
    this.#own?.release();
  }

  /** Whether it is a guest's who has a session, and has written nothing to it. */
  get isUnstored(): boolean {
    return (this.#guest ?? this.#own)?.isUnstored ?? false;
  }

  /** Undefined until it is bound. A client that may use exempt namespaces is bound to no session before it has proven one. */
  get own(): SessionConnection | undefined {
    return this.#own;
  }

  /** The session's data, for `socket.request.session`. */
  get data(): SessionConnection["data"] {
    return this.#own?.data ?? {};
  }

  /** The client has come: as a guest, or with a ticket, to whose session it is bound. False as for `bind`. */
  decide(as: "guest" | "proven"): boolean {
    const guest = this.#guest;
    this.#guest = undefined;
    if (as === "guest" && guest) return this.bind(guest);
    guest?.release();
    return true;
  }

  /** Binds it to a session, or to none for a guest. False if the session has ended, or if the call has closed the connection. */
  bind(own: SessionConnection): boolean {
    if (own.isUnverified) this.connection.close(true); // it reconnects, and is checked
    if (own.isEnded) {
      own.release();
      return false;
    }
    this.#own = own;
    own.claim(this.connection);
    return true;
  }
}
