import type { Proof } from "./admission.ts";
import type { SessionConnection } from "./session-connection.ts";
import type { EngineConnection } from "./upstream.ts";

/** An open Engine.IO connection, what it has proven, and the session that it got for that. */
export class OpenedConnection {
  readonly connection: EngineConnection;
  readonly proof: Proof;
  #own: SessionConnection | undefined;

  constructor(connection: EngineConnection, proof: Proof) {
    this.connection = connection;
    this.proof = proof;
  }

  /** Undefined until it is bound. A client that may use exempt namespaces is bound to no session before it has proven one. */
  get own(): SessionConnection | undefined {
    return this.#own;
  }

  /** The session's data, for `socket.request.session`. */
  get data(): SessionConnection["data"] {
    return this.#own?.data ?? {};
  }

  /** Binds it to a session, or to none for a guest. False if the session has ended, or if the call has closed the connection. */
  bind(own: SessionConnection): boolean {
    this.connection.once("close", () => own.release());
    if (own.isUnverified) this.connection.close(true); // it reconnects, and is checked
    if (own.isEnded) return false;
    this.#own = own;
    own.claim(this.connection);
    return true;
  }
}
