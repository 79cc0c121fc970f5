import { createServer } from "node:http";
import express from "express";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

declare module "express-session" {
  interface SessionData {
    count?: number;
  }
}

const app = express();
const server = createServer(app);
const sessions = liveSessions({
  store: memoryStore(),
  secret: process.env.SESSION_SECRET ?? "",
  saveUninitialized: true,
});
app.use(sessions.express());

app.get("/", (_req, res) => {
  res.send("a page");
});
app.post("/incr", async (req, res) => {
  const session = sessions.of(req);
  const count = await session.update((s) => {
    s.count = (s.count ?? 0) + 1;
    return s.count;
  });
  io.to(session.publicId).emit("count", count);
  res.send(String(count));
});
app.post("/logout", (req, res, next) => {
  req.session.destroy((error) => {
    if (error) return next(error);
    res.status(204).end();
  });
});

const io = new Server(server);
sessions.attach(io);

io.on("connection", (socket) => {
  socket.join(socket.session.publicId);
  socket.on("incr", async (done) => {
    const count = await socket.session.update((s) => {
      s.count = (s.count ?? 0) + 1;
      return s.count;
    });
    done(count);
  });
});

server.listen(3000);
