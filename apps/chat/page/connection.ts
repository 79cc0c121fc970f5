import { io, type Socket } from "socket.io-client";
import type { EndMessage } from "socket-session/protocol";
import type { ClientToServer, ServerToClient, SessionView } from "../shared/events.ts";
import { closedWords, endWords, type Words, wordsForRefusal } from "./words.ts";

/**
 * - `connecting`, `lost`: Socket.IO is at it, by itself.
 * - `open`: connected, and this is the session.
 * - `refused`, `ended`: it stays so until the visitor does something about it.
 */
export type Phase =
  | { readonly kind: "connecting" | "lost" }
  | { readonly kind: "open"; readonly session: SessionView }
  | { readonly kind: "refused" | "ended"; readonly words: Words };

export type ChatSocket = Socket<ServerToClient, ClientToServer>;

/** A stock Socket.IO client, and what its events mean for the visitor. */
export class Connection {
  readonly socket: ChatSocket = io({ autoConnect: false });
  #phase: Phase = { kind: "connecting" };
  #end: EndMessage | undefined;
  readonly #onPhase: (phase: Phase) => void;

  constructor(onPhase: (phase: Phase) => void) {
    this.#onPhase = onPhase;
    this.socket
      .on("session", (session) => this.#enter({ kind: "open", session }))
      .on("session:end", (end) => {
        this.#end = end;
      })
      .on("disconnect", () => this.#disconnected())
      .on("connect_error", (error) => this.#notConnected(error));
  }

  get phase(): Phase {
    return this.#phase;
  }

  start(): void {
    this.#end = undefined;
    this.#enter({ kind: "connecting" });
    this.socket.disconnect().connect();
  }

  /** Connects again, with whatever cookie there is now, unless this page has a session already. */
  retry(): void {
    const hasSession = this.#phase.kind === "open" && this.#phase.session.state === "live";
    if (!hasSession) this.start();
  }

  /** `active` is the client's own word on whether it will connect again by itself. */
  #disconnected(): void {
    if (this.socket.active) this.#enter({ kind: "lost" });
    else if (this.#phase.kind !== "connecting") {
      this.#enter({ kind: "ended", words: this.#end ? endWords[this.#end.reason] : closedWords });
    }
  }

  #notConnected(error: Error): void {
    if (this.socket.active) this.#enter({ kind: "lost" });
    else this.#enter({ kind: "refused", words: wordsForRefusal(codeOf(error)) });
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#onPhase(phase);
  }
}

/** The code of `connect_error`'s `data`, where the server has given one. */
function codeOf(error: Error): string {
  const data = "data" in error ? error.data : undefined;
  const hasCode = typeof data === "object" && data !== null && "code" in data;
  return hasCode ? String(data.code) : error.message;
}
