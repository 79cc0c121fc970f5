import { randomBytes } from "node:crypto";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

declare module "express-session" {
  interface SessionData {
    name?: string;
    clicks?: number;
  }
}

export const sessions = liveSessions({
  store: memoryStore(),
  secret: process.env.SESSION_SECRET ?? randomBytes(32).toString("hex"),
  cookie: { sameSite: "lax", secure: "auto" },
  ttlMs: 3_600_000,
});
