// socket-session with Next.js. In this folder: npm install, then npm run dev; or npm run build and npm start.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import express from "express";
import next from "next";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

const sessions = liveSessions({
  store: memoryStore(),
  secret: process.env.SESSION_SECRET ?? randomBytes(32).toString("hex"),
  cookie: { sameSite: "lax", secure: "auto" },
  ttlMs: 3_600_000,
});
globalThis.sessions = sessions; // Next bundles API routes apart from this file, so they can't import it

const port = Number(process.env.PORT ?? 3000);
const pages = next({ dev: !process.argv.includes("--production"), port });
await pages.prepare();
const handle = pages.getRequestHandler();

const app = express();
app.use(sessions.express()); // pages and API routes get req.session
app.use("/session", sessions.routes()); // for socket-session/client
app.use((req, res) => handle(req, res));

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

server.listen(port, () => console.log(`http://localhost:${port}`));
