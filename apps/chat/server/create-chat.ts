import "./session-data.ts";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { setupWorker } from "@socket.io/sticky";
import express from "express";
import { Server, type ServerOptions } from "socket.io";
import { type Clock, type LiveSessions, type LiveSessionsOptions, liveSessions } from "socket-session";
import { refuseCrossSitePosts } from "./cross-site-posts.ts";
import { formRoutes } from "./form-routes.ts";
import { sayWhatFailed, securityHeaders } from "./responses.ts";
import { servePage } from "./serve-page.ts";
import { type ChatServer, serveSockets } from "./serve-sockets.ts";

export interface ChatOptions {
  store: LiveSessionsOptions["store"];
  secret: string;
  /** The built page. */
  pageDir: string;
  /** How long a session lasts after its last activity. Default: half an hour. */
  idleMs?: number;
  /** Takes the chat's own messages to other nodes. Default: none. */
  adapter?: ServerOptions["adapter"] | undefined;
  /** What the page calls this node. Default: nothing, as there is only one. */
  nodeName?: string | undefined;
  /** Whether to believe the `X-Forwarded-…` headers, as a proxy of ours sets them. Default: no. */
  proxy?: boolean;
  /** For tests. */
  clock?: Clock;
}

export interface Chat {
  readonly sessions: LiveSessions;
  /** Resolves to the port; rejects if it is taken. Port 0 takes any that is free. */
  listen(port: number): Promise<number>;
  /** Instead of listening, takes the connections that the primary of a cluster hands over. */
  joinCluster(): void;
  /** Ends the connections, and no session: whoever comes back after a restart is still logged in. */
  close(): Promise<void>;
}

export function createChat(options: ChatOptions): Chat {
  const { store, secret, pageDir, idleMs = 30 * 60_000, adapter, nodeName, proxy = false, clock } = options;
  const sessions = liveSessions({
    store,
    secret,
    name: "sid",
    guests: "allow",
    // No maxAge: the browser keeps the cookie until it is closed, and the server alone decides when it is over.
    // Lax keeps other sites' posts from carrying it, in addition to refuseCrossSitePosts.
    cookie: { httpOnly: true, sameSite: "lax", secure: "auto" },
    ttlMs: idleMs,
    proxy,
    ...(clock && { clock }),
  });

  const app = express();
  app.disable("x-powered-by");
  app.use(securityHeaders);
  // Before the sessions: it is the same for everybody, and costs no read of the store.
  app.use(servePage(pageDir, nodeName));
  app.use(refuseCrossSitePosts);
  app.use(sessions.express());
  app.use(formRoutes());
  app.use(sayWhatFailed);

  const http = createServer(app);
  // The longest message fits several times; whoever sends more is cut off before it is parsed.
  const io: ChatServer = new Server(http, {
    maxHttpBufferSize: 10_000,
    serveClient: false,
    ...(adapter && { adapter }),
  });
  sessions.attach(io);
  const stopServing = serveSockets(io, {
    now: clock ? () => clock.now() : Date.now,
    hasOtherNodes: adapter !== undefined,
    nodeName,
    addressOf: proxy ? forwardedAddress : ({ address }) => address,
  });

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
    joinCluster: () => setupWorker(io),
    async close() {
      stopServing();
      // both at once: while one closes, a client that comes again is turned away by the other
      await Promise.all([io.close(), sessions.close()]);
    },
  };
}

/** The last of the list is what the proxy has seen itself; what stands before it anybody could have sent. */
function forwardedAddress({ address, headers }: { address: string; headers: IncomingHttpHeaders }): string {
  const forwarded = headers["x-forwarded-for"];
  return (
    String(forwarded ?? "")
      .split(",")
      .at(-1)
      ?.trim() || address
  );
}
