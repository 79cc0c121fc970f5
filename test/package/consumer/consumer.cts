// The same from CommonJS, where require() loads the ES modules.
import http = require("node:http");
import express = require("express");
import socketIo = require("socket.io");
import socketSession = require("socket-session");
import memory = require("socket-session/memory");
import sqlite = require("socket-session/sqlite");
import testing = require("socket-session/testing");

declare module "express-session" {
  interface SessionData {
    name?: string;
  }
}

const sessions = socketSession.liveSessions({
  store: process.env.SQLITE ? sqlite.sqliteStore({ path: process.env.SQLITE }) : memory.memoryStore(),
  name: "sid",
  secret: ["a secret of the consumer"],
});

const app = express();
app.use(sessions.express());
const io = new socketIo.Server(http.createServer(app));
sessions.attach(io);

io.on("connection", async (socket) => {
  const name: string | undefined = socket.session.data.name;
  await socket.session.update((session) => {
    session.name = `${name} the second`;
  });
});

export const cookie: Promise<string> = testing.signIn(sessions, { name: "x" });
