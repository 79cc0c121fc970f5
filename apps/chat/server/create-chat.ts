import "./session-data.ts";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { setupWorker } from "@socket.io/sticky";
import express, { type Express } from "express";
import { Server, type ServerOptions } from "socket.io";
import { type Clock, type LiveSessions, type LiveSessionsOptions, liveSessions } from "socket-session";
import { refuseCrossSitePosts } from "./cross-site-posts.ts";
import { formRoutes } from "./form-routes.ts";
import { listen } from "./listen.ts";
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
  /** Serves the sockets on a host of their own. Default: on the page's. */
  split?: Split | undefined;
  /** Whether to trust the `X-Forwarded-…` headers, which a proxy of ours sets. Default: no. */
  proxy?: boolean;
  /** For tests. */
  clock?: Clock;
}

/** A chat whose sockets the page's cookie does not reach: the page brings tickets. */
export interface Split {
  /** The page's origin. */
  readonly page: string;
  /** The sockets' origin, with the port to listen on. */
  readonly sockets: string;
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
  const { store, secret, idleMs = 30 * 60_000, adapter, nodeName, split, proxy = false, clock } = options;
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
    ...(split && { origins: [split.page] }),
    ...(clock && { clock }),
  });

  const http = createServer(pageServer(sessions, options));
  const socketHttp = split ? createServer((_request, response) => response.writeHead(404).end()) : http;
  // Several times the longest message; anything larger is cut off before it is parsed.
  const io: ChatServer = new Server(socketHttp, {
    maxHttpBufferSize: 10_000,
    serveClient: false,
    ...(split && { cors: { origin: split.page } }), // without credentials: there is no cookie
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
    async listen(port) {
      if (split) await listen(socketHttp, Number(new URL(split.sockets).port));
      return listen(http, port);
    },
    joinCluster: () => setupWorker(io),
    async close() {
      stopServing();
      // both at once: while one closes, the other refuses a client that reconnects
      const pageIsClosed = split && new Promise((resolve) => http.close(resolve));
      await Promise.all([io.close(), sessions.close(), pageIsClosed]);
    },
  };
}

function pageServer(sessions: LiveSessions, { pageDir, nodeName, split }: ChatOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use(securityHeaders(split?.sockets));
  // Before the sessions: the page is the same for all visitors, and needs no read of the store.
  app.use(servePage(pageDir, { node: nodeName, sockets: split?.sockets }));
  app.use(refuseCrossSitePosts);
  app.use(sessions.express());
  if (split) app.use("/session", sessions.routes()); // tickets
  app.use(formRoutes());
  app.use(sayWhatFailed);
  return app;
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
