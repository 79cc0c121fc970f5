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
  /** Carries the chat's own messages to other nodes. Default: none. */
  adapter?: ServerOptions["adapter"] | undefined;
  /** The name of this node on the page. Default: none, as there is only one node. */
  nodeName?: string | undefined;
  /** Whether to trust the `X-Forwarded-…` headers, which a proxy of ours sets. Default: no. */
  proxy?: boolean;
  /** For tests. */
  clock?: Clock;
}

export interface Chat {
  readonly sessions: LiveSessions;
  /** Resolves to the port; rejects if it is taken. Port 0 takes any free one. */
  listen(port: number): Promise<number>;
  /** Takes the connections that the primary of a cluster hands over, instead of listening. */
  joinCluster(): void;
  /** Ends the connections, but no session: after a restart visitors are still logged in. */
  close(): Promise<void>;
}

export function createChat(options: ChatOptions): Chat {
  const { store, secret, pageDir, idleMs = 30 * 60_000, adapter, nodeName, proxy = false, clock } = options;
  const sessions = liveSessions({
    store,
    secret,
    name: "sid",
    guests: "allow",
    // No maxAge: the browser keeps the cookie until it is closed, and the server alone decides when it is over. Lax
    // keeps other sites' posts from carrying it, in addition to refuseCrossSitePosts.
    cookie: { httpOnly: true, sameSite: "lax", secure: "auto" },
    ttlMs: idleMs,
    proxy,
    ...(clock && { clock }),
  });

  const app = express();
  app.disable("x-powered-by");
  app.use(securityHeaders);
  // Before the sessions: the page is the same for all visitors, and needs no read of the store.
  app.use(servePage(pageDir, nodeName));
  app.use(refuseCrossSitePosts);
  app.use(sessions.express());
  app.use(formRoutes());
  app.use(sayWhatFailed);

  const http = createServer(app);
  // Several times the longest message; anything larger is cut off before it is parsed.
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
      // both at once: while one closes, the other refuses a client that reconnects
      await Promise.all([io.close(), sessions.close()]);
    },
  };
}

/** The last address in the list is what the proxy itself has seen; clients can forge those before it. */
function forwardedAddress({ address, headers }: { address: string; headers: IncomingHttpHeaders }): string {
  const forwarded = headers["x-forwarded-for"];
  return (
    String(forwarded ?? "")
      .split(",")
      .at(-1)
      ?.trim() || address
  );
}
