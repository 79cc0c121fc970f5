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

const secret = process.env.SESSION_SECRET ?? "";
const visitors = liveSessions({ store: memoryStore(), name: "visitor", secret });
const staff = liveSessions({ store: memoryStore(), name: "staff", secret, cookie: { path: "/staff" } });

const app = express();
const staffPages = express.Router();
staffPages.use(staff.express());
staffPages.post("/login/:name", (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.name = req.params.name;
    res.send("in");
  });
});
staffPages.post("/logout", (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.send("out")));
});
app.use("/staff", staffPages); // before the visitors' middleware: a request has one session
app.use(visitors.express());
app.post("/name/:name", (req, res) => {
  req.session.name = req.params.name;
  res.send("hello");
});

const server = createServer(app);
// Each server of Engine.IO ends upgrades of other paths that are not answered within this time: longer than a store may take.
const destroyUpgradeTimeout = 15_000;
const visitorIo = new Server(server, { path: "/socket.io", destroyUpgradeTimeout });
const staffIo = new Server(server, { path: "/staff/socket.io", destroyUpgradeTimeout });
visitors.attach(visitorIo);
staff.attach(staffIo);

visitorIo.on("connection", (socket) => {
  socket.on("ask", (text) => {
    staffIo.emit("question", { name: socket.session.data.name, text: String(text) });
  });
});
staffIo.on("connection", (socket) => {
  socket.on("answer", (text) => {
    visitorIo.emit("answer", { name: socket.session.data.name, text: String(text) });
  });
});

server.listen(3000);
