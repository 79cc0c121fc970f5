// What an application in TypeScript writes: compiled against the packed package.
import { createServer } from "node:http";
import express from "express";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { sqliteStore } from "socket-session/sqlite";
import { signIn } from "socket-session/testing";

declare module "express-session" {
  interface SessionData {
    name?: string;
  }
}

const sessions = liveSessions({
  store: process.env.SQLITE ? sqliteStore({ path: process.env.SQLITE }) : memoryStore(),
  name: "sid",
  secret: ["a secret of the consumer"],
  cookie: { maxAge: 60_000, sameSite: "lax", secure: "auto" },
  userId: (data) => data.name,
});

const app = express();
app.use(sessions.express());
app.post("/rename", async (req, res) => {
  await sessions.of(req).update((session) => {
    session.name = "x";
  });
  res.json({ name: req.session.name });
});

const server = createServer(app);
const io = new Server(server);
sessions.attach(io);

io.on("connection", (socket) => {
  const name: string | undefined = socket.session.data.name;
  socket.emit("name", name);
  socket.on("rename", async (next: string) => {
    await socket.session.update((session) => {
      session.name = next;
    });
  });
  // @ts-expect-error: the snapshot is read-only; update() is the way to write.
  socket.session.data.name = "x";
  // @ts-expect-error: only what SessionData declares is there.
  socket.session.data.nobody;
});

export const cookie: string = await signIn(sessions, { name: "x" });
