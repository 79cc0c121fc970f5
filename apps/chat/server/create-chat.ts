import { createServer } from "node:http";
import { setupWorker } from "@socket.io/sticky";
import express, { type Express } from "express";
import { Server, type ServerOptions } from "socket.io";
import { type Clock, type LiveSessions, type LiveSessionsOptions, liveSessions } from "socket-session";
import { limits } from "../shared/events.ts";
import { actionRoutes } from "./action-routes.ts";
import { clientAddress } from "./client-address.ts";
import { refuseCrossSitePosts } from "./cross-site-posts.ts";
import { formRoutes } from "./form-routes.ts";
import { listen } from "./listen.ts";
import { RateLimit } from "./rate-limit.ts";
import { sayWhatFailed, securityHeaders } from "./responses.ts";
import { servePage } from "./serve-page.ts";
import { type ChatServer, room, serveSockets } from "./serve-sockets.ts";
import { shareWithPage, userOf } from "./session-data.ts";

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
  /** Stops the node of this name for a while. Default: there is no cluster. */
  stopNode?: ((node: string) => void) | undefined;
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
  /** Shows these words to all visitors of this node. */
  tell(words: string): void;
  /** Ends the connections, but no session: after a restart visitors are still logged in. */
  close(): Promise<void>;
}

/** How long a session lasts after its last activity. */
const defaultIdleMs = 30 * 60_000;

export function createChat(options: ChatOptions): Chat {
  const { store, secret, idleMs = defaultIdleMs, adapter, nodeName, split, proxy = false, clock } = options;
  const sessions = liveSessions({
    store,
    secret,
    name: "sid",
    guests: "allow",
    userId: userOf,
    device: ({ device }) => device,
    sessionsPerUser: { max: limits.devices, whenFull: "endOldest" },
    socketsPerSession: limits.tabs,
    nodeName: nodeName ?? "this server",
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
  sessions.attach(io, { share: shareWithPage });
  const stopServing = serveSockets(io, {
    sessions,
    now: nowBy(clock),
    hasOtherNodes: adapter !== undefined,
    nodeName,
    address: clientAddress(proxy),
  });

  return {
    sessions,
    async listen(port) {
      if (split) await listen(socketHttp, Number(new URL(split.sockets).port));
      return listen(http, port);
    },
    joinCluster: () => setupWorker(io),
    tell: (words) => void io.local.to(room).emit("story", words),
    async close() {
      stopServing();
      // both at once: while one closes, the other refuses a client that reconnects
      const pageIsClosed = split && new Promise((resolve) => http.close(resolve));
      await Promise.all([io.close(), sessions.close(), pageIsClosed]);
    },
  };
}

function pageServer(sessions: LiveSessions, options: ChatOptions): Express {
  const { pageDir, nodeName, split, stopNode, proxy = false, idleMs = defaultIdleMs, clock } = options;
  const rate = () => new RateLimit({ most: limits.actions, perMs: limits.actionsPerMs, now: nowBy(clock) });
  const app = express();
  app.disable("x-powered-by");
  app.use(securityHeaders(split?.sockets));
  // Before the sessions: the page is the same for all visitors, and needs no read of the store.
  app.use(servePage(pageDir, { node: nodeName, sockets: split?.sockets, cluster: stopNode && "yes" }));
  app.use(refuseCrossSitePosts);
  app.use(sessions.express());
  app.use("/session", sessions.routes());
  app.use(express.urlencoded({ extended: false, limit: 2_000 }));
  app.use(formRoutes({ sessions, address: clientAddress(proxy), rate: rate() }));
  app.use(actionRoutes({ sessions, idleMs, stopNode, rate: rate() }));
  app.use(sayWhatFailed);
  return app;
}

const nowBy = (clock: Clock | undefined) => (clock ? () => clock.now() : Date.now);
