/** The messages between page and server, in addition to the library's own (`session:end`). */
import type { EndMessage } from "socket-session/protocol";

export interface ClientToServer {
  message(text: string, answer: (outcome: Outcome) => void): void;
  /** Does nothing itself: any event counts as activity, which extends the session. */
  stay(answer: () => void): void;
}

export interface ServerToClient {
  message(message: ChatMessage): void;
  /** The latest messages, on every connection: the page may already know some. */
  history(messages: readonly ChatMessage[]): void;
  here(here: Here): void;
  session(session: SessionView): void;
  /** The node that this connection leads to, if there are several. */
  node(name: string): void;
  "session:end"(end: EndMessage): void;
}

export interface ChatMessage {
  readonly id: string;
  /** The public id of the session that wrote it; empty for guests. */
  readonly from: string;
  readonly name: string;
  readonly text: string;
  /** In milliseconds since the epoch. */
  readonly sentAt: number;
}

/** The visitors: each session once, however many tabs it has open, and the number of guest connections. */
export interface Here {
  readonly people: readonly Person[];
  readonly guests: number;
}

interface Person {
  readonly publicId: string;
  readonly name: string;
}

/** The socket's session. The remaining life is a duration, so that the clocks of page and server need not agree. */
export type SessionView =
  | { readonly state: "guest" }
  | { readonly state: "live"; readonly publicId: string; readonly name: string; readonly leftMs: number };

export type Outcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly problem: MessageProblem; readonly retryInMs?: number };

export type MessageProblem = "empty" | "tooLong" | "tooFast" | "notText";

/** The possible problems with a form. A plain form post returns to `/?form=login&problem=nameEmpty`. */
export type FormProblem = "nameEmpty" | "nameTooLong" | "nameTaken" | "notLoggedIn";

/** The answer to a form that a script posted, asking for JSON. */
export type FormAnswer = { readonly ok: true } | { readonly ok: false; readonly problem: FormProblem };

export const guestName = "guest";

export const limits = {
  nameLength: 40,
  messageLength: 500,
  /** The most messages in any span of `perMs`, for each session, and for all guests of one address together. */
  messages: 5,
  perMs: 5_000,
  history: 50,
} as const;
