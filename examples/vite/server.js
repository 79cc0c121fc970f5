// socket-session with Vite. In this folder: npm install, then npm run server, and in a second terminal npm run dev.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import express from "express";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

const sessions = liveSessions({
  store: memoryStore(),
  secret: process.env.SESSION_SECRET ?? randomBytes(32).toString("hex"),
  cookie: { sameSite: "lax", secure: "auto" },
  ttlMs: 3_600_000,
});

const app = express();
app.use(express.static("dist")); // what npm run build has made, in production
app.use(sessions.express());
app.use("/session", sessions.routes()); // for socket-session/client

app.post("/api/login", express.urlencoded({ extended: false }), (req, res, next) => {
  const name = String(req.body?.name || "Anonymous"); // check a password here
  sessions.login(req, { name, clicks: 0 }).then(() => res.send("in"), next);
});
app.post("/api/logout", (req, res, next) => {
  sessions.logout(req, res).then(() => res.send("out"), next);
});

const server = createServer(app);
const io = new Server(server);
sessions.attach(io, { share: ({ name, clicks }) => ({ name, clicks }) }); // the page gets these, and each change of them

io.on("connection", (socket) => {
  socket.on("click", () =>
    socket.session.update((s) => {
      s.clicks = (s.clicks ?? 0) + 1;
    }),
  );
});

server.listen(process.env.PORT ?? 3000);
