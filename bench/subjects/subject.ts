/** The interface of a subject: one way to have sessions in an application. There is one file for each. */
import type { Express } from "express";
import type { Server, Socket } from "socket.io";
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
}

interface Installed {
  /** Calls `done` with the session's name, read as the subject's documentation says. */
  read(socket: Socket, done: (name: unknown) => void): void;
  /** Before its store is closed. */
  close?(): Promise<void>;
}

export const cookieName = "sid";
