/** What the page and the server say to each other, beyond what the library itself says (`session:end`). */
import type { EndMessage } from "socket-session/protocol";

export interface ClientToServer {
  message(text: string, answer: (outcome: Outcome) => void): void;
  /** Does nothing: that it comes is activity, and activity is all it takes to keep a session. */
  stay(answer: () => void): void;
}

export interface ServerToClient {
  message(message: ChatMessage): void;
  /** The last messages, on every connection: some of them may be known already. */
  history(messages: readonly ChatMessage[]): void;
  here(here: Here): void;
  session(session: SessionView): void;
  /** Which node this connection is to, where there are several. */
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

/** Who is here: each session once, however many tabs it has open; and how many connections of guests. */
export interface Here {
  readonly people: readonly Person[];
  readonly guests: number;
}

interface Person {
  readonly publicId: string;
  readonly name: string;
}

/** The socket's session. What is left of it is a span, so that the page's clock need not agree with the server's. */
export type SessionView =
  | { readonly state: "guest" }
  | { readonly state: "live"; readonly publicId: string; readonly name: string; readonly leftMs: number };

export type Outcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly problem: MessageProblem; readonly retryInMs?: number };

export type MessageProblem = "empty" | "tooLong" | "tooFast" | "notText";

/** What can be wrong with a form. A plain form post comes back as `/?form=login&problem=nameEmpty`. */
export type FormProblem = "nameEmpty" | "nameTooLong" | "nameTaken" | "notLoggedIn";

/** The answer to a form that was posted by script and asked for JSON. */
export type FormAnswer = { readonly ok: true } | { readonly ok: false; readonly problem: FormProblem };

export const guestName = "guest";

export const limits = {
  nameLength: 40,
  messageLength: 500,
  /** So many messages in any span of `perMs`, for each session, and for all guests of one address. */
  messages: 5,
  perMs: 5_000,
  history: 50,
} as const;
