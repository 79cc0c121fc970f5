import type { EndMessage } from "socket-session/protocol";
import type { SessionView } from "../shared/events.ts";
import { type ChatSocket, openSocket } from "./open-socket.ts";
import { closedWords, endWords, type Words, wordsForRefusal } from "./words.ts";

/**
 * - `connecting`, `lost`: Socket.IO is connecting by itself.
 * - `open`: connected, with this session.
 * - `refused`, `ended`: final until the visitor acts.
 */
export type Phase =
  | { readonly kind: "connecting" | "lost" }
  | { readonly kind: "open"; readonly session: SessionView }
  | { readonly kind: "refused" | "ended"; readonly words: Words };

/** How soon another ticket is tried in place of one that came too late, in milliseconds. */
const ticketRetryMs = 1_000;

/** A stock Socket.IO client, and the meaning of its events for the visitor. */
export class Connection {
  readonly socket: ChatSocket = openSocket();
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

  /** Connects again with the current cookie, unless this page already has a session. */
  retry(): void {
    const hasSession = this.#phase.kind === "open" && this.#phase.session.state === "live";
    if (!hasSession) this.start();
  }

  /** `active`: the client's own property that says whether it reconnects by itself. */
  #disconnected(): void {
    if (this.socket.active) this.#enter({ kind: "lost" });
    else if (this.#phase.kind !== "connecting") {
      this.#enter({ kind: "ended", words: this.#end ? endWords[this.#end.reason] : closedWords });
    }
  }

  #notConnected(error: Error): void {
    const code = codeOf(error);
    if (code === "TICKET_INVALID") setTimeout(() => this.socket.connect(), ticketRetryMs);
    if (this.socket.active || code === "TICKET_INVALID") this.#enter({ kind: "lost" });
    else this.#enter({ kind: "refused", words: wordsForRefusal(code) });
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#onPhase(phase);
  }
}

/** The code in `connect_error`'s `data`, if the server sent one. */
function codeOf(error: Error): string {
  const data = "data" in error ? error.data : undefined;
  const hasCode = typeof data === "object" && data !== null && "code" in data;
  return hasCode ? String(data.code) : error.message;
}
