import { createServer } from "node:http";
import express from "express";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

declare module "express-session" {
  interface SessionData {
    name?: string;
    theme?: string;
  }
}

const app = express();
const server = createServer(app);
const io = new Server(server);

const sessions = liveSessions({
  store: memoryStore(),
  secret: process.env.SESSION_SECRET ?? "",
  guests: "allow",
});

app.use(sessions.express());
app.post("/login/:name", (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.name = req.params.name;
    res.send("in");
  });
});

sessions.attach(io);

io.on("connection", (socket) => {
  socket.on("theme", async (theme, done) => {
    await socket.session.update((s) => {
      s.theme = String(theme);
    });
    done(socket.session.data);
  });
  socket.on("logout", () => socket.session.end());
});

server.listen(3000);
