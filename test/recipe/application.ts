/** One application, so that the same story can be told of each way to share its sessions with its sockets. */
import type { Express } from "express";
import type { Store } from "express-session";
import type { Server, ServerOptions, Socket } from "socket.io";
import type { AppData, DeepReadonly } from "socket-session";
import type { Browser } from "../support/browser.ts";
import { namespaces } from "../support/handlers.ts";

/** What is seen of a session: changed by `change` only. */
export type Seen = DeepReadonly<AppData>;

export interface ApplicationOptions {
  /** Of the session cookie, in milliseconds. Default: none. */
  maxAge?: number;
  store?: Store;
  io?: Partial<ServerOptions>;
}

/**
 * Express with the routes `/login`, `/write`, `/session`, `/logout`, and Socket.IO with the events `see`, `reload` and
 * `increment` in every namespace. What differs between the ways is behind `see`, `reload` and `change`.
 */
export interface Application {
  readonly url: string;
  /** For routes of a story's own. */
  readonly express: Express;
  readonly io: Server;
  /** What was reported as going wrong where nobody waits for an answer. */
  readonly errors: readonly unknown[];
  browser(): Browser;
  /** A browser that has logged in. */
  visitor(data?: Record<string, unknown>): Promise<Browser>;
  /** What a handler sees of the session if it does nothing for that; null if the socket has no session. */
  see(socket: Socket): Seen | null;
  /** The same after reading the store again; rejects if the session is not there. */
  reload(socket: Socket): Promise<Seen>;
  /** Changes the session from a handler, the way that is documented. */
  change(socket: Socket, fn: (data: AppData) => void | Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** What a story finds out. Nothing is expected in it, so it can be told of any application. */
export type Story<Outcome> = (application: Application, transports: string[]) => Promise<Outcome>;

/** Tells `story` of an application of its own. */
export async function tell<Outcome>(
  story: Story<Outcome>,
  start: Promise<Application>,
  transports: readonly string[],
): Promise<Outcome> {
  const application = await start;
  try {
    return await story(application, [...transports]);
  } finally {
    await application.close();
  }
}

/** What the sockets answer to. */
export function installAnswers({ io, see, reload, change }: Omit<Application, "close">): void {
  for (const namespace of namespaces) {
    io.of(namespace).on("connection", (socket) => {
      socket.on("see", (done) => done(see(socket)));
      socket.on("reload", (done) => {
        reload(socket).then(done, (error: Error) => done(`failed: ${error.message}`));
      });
      socket.on("increment", (done) => {
        const increment = (data: AppData) => {
          data.n = (data.n ?? 0) + 1;
        };
        change(socket, increment).then(
          () => done("done"),
          () => done("failed"),
        );
      });
    });
  }
}
