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
app.post("/news/:text", (req, res) => {
  io.to("readers").emit("news", req.params.text);
  res.send("sent");
});

const server = createServer(app);
const io = new Server(server, { connectionStateRecovery: { maxDisconnectionDuration: 2 * 60_000 } });
sessions.attach(io);

io.on("connection", (socket) => {
  // runs for a recovered socket as well: its handlers are those of a new one
  if (!socket.recovered) socket.join("readers");
  socket.on("name", (done) => done(socket.session.data.name));
});

server.listen(3000);
