/** The messages between page and server, in addition to the library's own (`session:…`). */
import type { WithSession } from "socket-session/protocol";

export interface ClientToServer {
  message(text: string, answer: (outcome: Outcome) => void): void;
}

export type ServerToClient = WithSession<
  {
    message(message: ChatMessage): void;
    /** The latest messages, on every connection: the page may already know some. */
    history(messages: readonly ChatMessage[]): void;
    here(here: Here): void;
    /** The author of what this socket sends. */
    author(author: string): void;
    /** The node that this connection leads to, if there are several. */
    node(name: string): void;
    /** The sessions of this user, whenever one is added, removed or used. */
    devices(devices: readonly Device[]): void;
    /** What the server has just done, in words. */
    story(words: string): void;
    /** To the room of the admins, every second. */
    figures(figures: Figures): void;
  },
  SharedData
>;

/** What the page gets to know of its session's data. */
export interface SharedData {
  readonly name: string;
  readonly isAdmin: boolean;
  /** Whether the visitor has shortened the session. */
  readonly isShort: boolean;
}

export interface ChatMessage {
  readonly id: string;
  /** Names the user, or one guest's connection, to tell people of one name apart. */
  readonly author: string;
  readonly name: string;
  readonly text: string;
  /** In milliseconds since the epoch. */
  readonly sentAt: number;
}

/** The visitors: each user once, however many tabs and devices they have, and the number of guests' connections. */
export interface Here {
  readonly people: readonly Person[];
  readonly guests: number;
}

export interface Person {
  readonly author: string;
  readonly name: string;
}

/** A session of the user. Times are durations, so that the clocks of page and server need not agree. */
export interface Device {
  readonly publicId: string;
  /** Browser, system and network, as at the login. */
  readonly name: string;
  /** How many tabs it has open. */
  readonly tabs: number;
  readonly seenAgoMs: number;
  readonly leftMs: number;
}

/** Of the node that sends it. */
interface Figures {
  readonly sessions: number;
  readonly connections: number;
}

export type Outcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly problem: MessageProblem; readonly retryInMs?: number };

export type MessageProblem = "empty" | "tooLong" | "tooFast" | "notText";

/** The possible problems with a form. A plain form post returns to `/?form=login&problem=nameEmpty`. */
export type FormProblem = "nameEmpty" | "nameTooLong" | "nameTaken" | "notLoggedIn" | "tooOften" | "gone";

/** The answer to a form that a script posted, asking for JSON: with what the server has done, in words. */
export type FormAnswer =
  | { readonly ok: true; readonly story?: string }
  | { readonly ok: false; readonly problem: FormProblem };

export const guestName = "guest";

/** The room of the admins, and the code with which its rule refuses. */
export const admins = { room: "admins", code: "NOT_ADMIN" } as const;

export const limits = {
  nameLength: 40,
  messageLength: 500,
  /** The most messages in any span of `perMs`, for each session, and for all guests of one network together. */
  messages: 5,
  perMs: 5_000,
  history: 50,
  /** The most logins of one network, and the most actions of one session on sessions and nodes, in a minute. */
  actions: 30,
  actionsPerMs: 60_000,
  /** The most sessions of a user, and tabs of a session on one node: anybody may log in under any name. */
  devices: 8,
  tabs: 30,
  /** The least time between two stops of a node. */
  stopsEveryMs: 10_000,
  /** How long a session lasts that the visitor has shortened. */
  shortMs: 60_000,
} as const;
