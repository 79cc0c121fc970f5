/**
 * The application as Socket.IO's documentation builds it ("How to use with express-session"): the session middleware
 * on the engine, handlers that use `socket.request.session`, and a room per session id for the logout.
 */
import "../support/session-data.ts";
import { createServer } from "node:http";
import express, { type Request, type RequestHandler } from "express";
import session from "express-session";
import { Server, type Socket } from "socket.io";
import type { AppData } from "socket-session";
import { Browser } from "../support/browser.ts";
import { listen } from "../support/listen.ts";
import { sessionRoutes } from "../support/session-routes.ts";
import { secret } from "../support/world.ts";
import { type Application, type ApplicationOptions, installAnswers, type Seen } from "./application.ts";

export interface RecipeOptions extends ApplicationOptions {
  /** The how-to sets true. */
  resave?: boolean;
  rolling?: boolean;
  /** How often each socket reads its session again, as the how-to advises for expiry (30 s there). Default: never. */
  expiryPollMs?: number;
}

export async function recipe(options: RecipeOptions = {}): Promise<Application> {
  const { maxAge, resave = true, rolling = false, store = new session.MemoryStore() } = options;
  const middleware = session({
    name: "sid",
    secret,
    resave,
    rolling,
    saveUninitialized: true,
    store,
    ...(maxAge === undefined ? {} : { cookie: { maxAge } }),
  });
  const app = express();
  const http = createServer(app);
  const io = new Server(http, options.io);
  app.use(express.json());
  app.use(middleware);
  installRoutes(app, io);

  shareWithSockets(io, middleware);
  const { expiryPollMs } = options;
  if (expiryPollMs !== undefined) io.on("connection", (socket) => pollForExpiry(socket, expiryPollMs));

  const url = await listen(http);
  const browsers: Browser[] = [];
  const browser = () => {
    const one = new Browser(url);
    browsers.push(one);
    return one;
  };
  const application: Application = {
    url,
    express: app,
    io,
    errors: [],
    browser,
    async visitor(data = { name: "ada" }) {
      const one = browser();
      await one.post("/login", data);
      return one;
    },
    see,
    reload,
    change,
    async close() {
      for (const one of browsers) one.close();
      http.closeAllConnections();
      await io.close();
    },
  };
  installAnswers(application);
  return application;
}

/** The session on the handshake's request of each socket, and a room per session. */
export function shareWithSockets(io: Server, middleware: RequestHandler): void {
  io.engine.use(middleware);
  io.on("connection", (socket) => {
    socket.join(requestOf(socket).session.id);
  });
}

function installRoutes(app: express.Express, io: Server): void {
  sessionRoutes(app);
  app.get("/session", (req, res) => {
    res.json({ id: req.sessionID, data: dataOf(req) });
  });
  app.post("/logout", (req, res) => {
    const sessionId = req.session.id;
    req.session.destroy(() => {
      io.in(sessionId).disconnectSockets();
      res.send("out");
    });
  });
}

export function pollForExpiry(socket: Socket, intervalMs: number): void {
  const timer = setInterval(() => {
    requestOf(socket).session.reload((error) => {
      if (error) socket.conn.close();
    });
  }, intervalMs);
  socket.on("disconnect", () => clearInterval(timer));
}

/** The handshake's request, on which the engine's middleware has left the session. */
export function requestOf(socket: Socket): Request {
  return socket.request as Request;
}

function dataOf({ session }: Request): Seen | null {
  if (!session) return null;
  const { cookie: _cookie, ...data } = session;
  return JSON.parse(JSON.stringify(data));
}

function see(socket: Socket): Seen | null {
  return dataOf(requestOf(socket));
}

function reload(socket: Socket): Promise<Seen> {
  const request = requestOf(socket);
  return new Promise((resolve, reject) => {
    request.session.reload((error) => (error ? reject(error) : resolve(dataOf(request) ?? {})));
  });
}

async function change(socket: Socket, fn: (data: AppData) => void | Promise<void>): Promise<void> {
  const request = requestOf(socket);
  await reload(socket);
  await fn(request.session);
  await new Promise<void>((resolve, reject) => {
    request.session.save((error) => (error ? reject(error) : resolve()));
  });
}
