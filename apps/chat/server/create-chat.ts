import "./session-data.ts";
import { createServer } from "node:http";
import express from "express";
import { Server } from "socket.io";
import { type Clock, type LiveSessions, type LiveSessionsOptions, liveSessions } from "socket-session";
import type { ClientToServer, ServerToClient } from "../shared/events.ts";
import { refuseCrossSitePosts } from "./cross-site-posts.ts";
import { formRoutes } from "./form-routes.ts";
import { sayWhatFailed, securityHeaders } from "./responses.ts";
import { serveSockets } from "./serve-sockets.ts";

export interface ChatOptions {
  store: LiveSessionsOptions["store"];
  secret: string;
  /** The built page. */
  pageDir: string;
  /** How long a session lasts after its last activity. Default: half an hour. */
  idleMs?: number;
  /** For tests. */
  clock?: Clock;
}

export interface Chat {
  readonly sessions: LiveSessions;
  /** Resolves to the port; rejects if it is taken. Port 0 takes any that is free. */
  listen(port: number): Promise<number>;
  /** Ends the connections, and no session: whoever comes back after a restart is still logged in. */
  close(): Promise<void>;
}

export function createChat({ store, secret, pageDir, idleMs = 30 * 60_000, clock }: ChatOptions): Chat {
  const sessions = liveSessions({
    store,
    secret,
    name: "sid",
    guests: "allow",
    // No maxAge: the browser keeps the cookie until it is closed, and the server alone decides when it is over.
    // Lax keeps other sites' posts from carrying it, in addition to refuseCrossSitePosts.
    cookie: { httpOnly: true, sameSite: "lax", secure: "auto" },
    ttlMs: idleMs,
    ...(clock && { clock }),
  });

  const app = express();
  app.disable("x-powered-by");
  app.use(securityHeaders);
  // Before the sessions: the page's files are the same for everybody, and cost no read of the store.
  app.use(
    "/assets",
    express.static(`${pageDir}/assets`, { immutable: true, maxAge: "1y", fallthrough: false }),
  );
  app.use(express.static(pageDir, { maxAge: 0 }));
  app.use(refuseCrossSitePosts);
  app.use(sessions.express());
  app.use(formRoutes());
  app.use(sayWhatFailed);

  const http = createServer(app);
  // The longest message fits several times; whoever sends more is cut off before it is parsed.
  const io = new Server<ClientToServer, ServerToClient>(http, {
    maxHttpBufferSize: 10_000,
    serveClient: false,
  });
  sessions.attach(io);
  const stopServing = serveSockets(io, clock ? () => clock.now() : Date.now);

  return {
    sessions,
    listen: (port) =>
      new Promise((resolve, reject) => {
        http.once("error", reject);
        http.listen(port, () => {
          http.off("error", reject);
          const address = http.address();
          resolve(typeof address === "object" && address ? address.port : port);
        });
      }),
    async close() {
      stopServing();
      // both at once: while one closes, a client that comes again is turned away by the other
      await Promise.all([io.close(), sessions.close()]);
    },
  };
}
