/**
 * A peer for comparison: plain express-session over any of its stores, with the routes of `startWorld`'s application.
 */
import "./session-data.ts";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import session, { type Store } from "express-session";
import { Browser } from "./browser.ts";
import { sessionRoutes } from "./session-routes.ts";
import { secret } from "./world.ts";

export interface PeerApplication {
  readonly url: string;
  browser(): Browser;
  close(): Promise<void>;
}

export async function startPeer(store: Store, cookie: session.CookieOptions = {}): Promise<PeerApplication> {
  const app = express();
  app.use(express.json());
  app.use(session({ store, secret, name: "sid", cookie, resave: false, saveUninitialized: false }));
  sessionRoutes(app);
  app.get("/session", (req, res) => {
    const { cookie: _cookie, ...data } = req.session;
    res.json({ id: req.sessionID, data });
  });
  app.post("/logout", (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.send("out")));
  });
  const http = createServer(app);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return {
    url,
    browser: () => new Browser(url),
    close: () =>
      new Promise((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
}
