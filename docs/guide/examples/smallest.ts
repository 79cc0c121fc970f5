import { createServer } from "node:http";
import express from "express";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

declare module "express-session" {
  interface SessionData {
    name?: string;
  }
}

const sessions = liveSessions({
  store: memoryStore(),
  name: "sid",
  secret: process.env.SESSION_SECRET ?? "",
  cookie: { maxAge: 3_600_000, sameSite: "lax" },
});

const app = express();
app.use(sessions.express());
app.post("/login/:name", (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.name = req.params.name;
    res.send("in");
  });
});
app.post("/logout", (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.send("out")));
});

const server = createServer(app);
const io = new Server(server);
sessions.attach(io);

io.on("connection", (socket) => {
  socket.on("message", (text) => {
    io.emit("message", { name: socket.session.data.name, text: String(text) });
  });
  socket.on("rename", async (name, done) => {
    await socket.session.update((s) => {
      s.name = String(name);
    });
    done();
  });
});

server.listen(3000);
