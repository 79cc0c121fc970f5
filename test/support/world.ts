import "./session-data.ts";
import { createServer, type Server as HttpServer } from "node:http";
import express, { type Express } from "express";
import { Server, type ServerOptions } from "socket.io";
import {
  type AttachOptions,
  type LiveSessions,
  type LiveSessionsOptions,
  liveSessions,
} from "socket-session";
import { memoryStore } from "socket-session/memory";
import { Browser } from "./browser.ts";
import { listen } from "./listen.ts";
import { sessionRoutes } from "./session-routes.ts";

export interface WorldOptions extends Partial<LiveSessionsOptions> {
  io?: Partial<ServerOptions>;
  attach?: AttachOptions;
  /** Express 5 unless a test brings another. */
  framework?: typeof express;
  /** Adds routes of a test's own, after the session middleware. */
  routes?: (app: Express, sessions: LiveSessions) => void;
  /** Runs before the server listens, after `attach`. */
  sockets?: (io: Server, sessions: LiveSessions) => void;
}

/** An application: Express, Socket.IO and the sessions they share, on a free port of this machine. */
export interface World {
  readonly url: string;
  readonly sessions: LiveSessions;
  readonly io: Server;
  readonly http: HttpServer;
  readonly errors: unknown[];
  browser(): Browser;
  /** A browser that has logged in. */
  visitor(data?: Record<string, unknown>): Promise<Browser>;
  close(): Promise<void>;
}

export const secret = "a secret of thirty-two characters";

export async function startWorld({
  io: ioOptions,
  attach,
  framework = express,
  routes,
  sockets,
  ...options
}: WorldOptions = {}): Promise<World> {
  const sessions = liveSessions({ store: memoryStore(), secret, name: "sid", ...options });
  const errors: unknown[] = [];
  sessions.on("error", (error) => errors.push(error));
  const app = framework();
  app.use(framework.json());
  app.use(sessions.express());
  standardRoutes(app, sessions);
  routes?.(app, sessions);
  const http = createServer(app);
  const io = new Server(http, ioOptions);
  sessions.attach(io, attach);
  sockets?.(io, sessions);
  const url = await listen(http);
  const browsers: Browser[] = [];
  const browser = () => {
    const one = new Browser(url);
    browsers.push(one);
    return one;
  };
  return {
    url,
    sessions,
    io,
    http,
    errors,
    browser,
    async visitor(data = { name: "ada" }) {
      const one = browser();
      await one.post("/login", data);
      return one;
    },
    async close() {
      for (const one of browsers) one.close();
      http.closeAllConnections();
      await io.close();
      await sessions.close();
    },
  };
}

function standardRoutes(app: Express, sessions: LiveSessions): void {
  sessionRoutes(app);
  app.post("/increment", (req, res) => {
    req.session.m = (req.session.m ?? 0) + 1;
    res.send(String(req.session.m));
  });
  app.post("/update", async (req, res) => {
    const n = await sessions.of(req).update((s) => {
      s.n = (s.n ?? 0) + 1;
      return s.n;
    });
    res.send(String(n));
  });
  app.get("/session", (req, res) => {
    const { cookie: _cookie, ...data } = req.session;
    res.json({ id: req.sessionID, data });
  });
  app.post("/logout", (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.send("out")));
  });
  app.post("/regenerate", (req, res, next) => {
    req.session.regenerate((error) => (error ? next(error) : res.send("new")));
  });
}
