/** The interface of a subject: one way to have sessions in an application. There is one file for each. */
import type { Express } from "express";
import type { Server, Socket } from "socket.io";
import type { LiveSessionsOptions } from "socket-session";
import type { OpenedStore } from "../stores/store.ts";

export interface Subject {
  /** As `npm run bench -- --subject <name>` takes it. */
  readonly name: string;
  readonly title: string;
  /** Gives sessions to an application that has no routes and no sockets yet. */
  install(application: Application): Promise<Installed>;
}

export interface Application {
  readonly app: Express;
  readonly io: Server;
  readonly store: OpenedStore;
  /** The first signs, all verify. */
  readonly secrets: readonly string[];
  /** Where the library is loaded from. */
  readonly checkout: string;
  /** Of the library, beside those of every subject. */
  readonly times: Times;
}

/** In milliseconds. */
export type Times = Pick<LiveSessionsOptions, "revalidateIntervalMs" | "staleMs" | "storeTimeoutMs">;

export interface Ends {
  /** All sessions of a user. */
  user(id: string): Promise<number>;
  /** The sessions of these ids, as an application ends them that has only those. */
  each(ids: readonly string[]): Promise<number>;
  /** Closes the sockets without an end of their sessions, as before an exit. */
  close(): Promise<number>;
}

export interface Installed {
  /** Calls `done` with the session's name, read as the subject's documentation says. */
  read(socket: Socket, done: (name: unknown) => void): void;
  /** Adds one to `n` of the session, as the documentation says. */
  increment?(socket: Socket): Promise<unknown>;
  /** Ways to close many sockets at once; each resolves to how many sessions, or sockets, it has ended. */
  readonly ends?: Ends;
  /** What it has reported as an error; no failure is expected but that of a store that is cut off. */
  readonly errors?: readonly unknown[];
  /** Before its store is closed. */
  close?(): Promise<void>;
}

export const cookieName = "sid";
