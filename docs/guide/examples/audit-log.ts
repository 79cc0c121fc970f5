import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import express from "express";
import { Server } from "socket.io";
import { type LifecycleEvent, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

declare module "express-session" {
  interface SessionData {
    userId?: string;
  }
}

const sessions = liveSessions({
  store: memoryStore(),
  name: "sid",
  secret: process.env.SESSION_SECRET ?? "",
  cookie: { sameSite: "lax", secure: "auto" },
  userId: (data) => data.userId,
});

const database = new DatabaseSync(process.env.AUDIT_FILE ?? ":memory:");
database.exec(`
  CREATE TABLE IF NOT EXISTS audit (
    at INTEGER NOT NULL, type TEXT NOT NULL, session TEXT, user_id TEXT, detail TEXT, place TEXT, caused_by TEXT, address TEXT
  );
  CREATE UNIQUE INDEX IF NOT EXISTS one_end ON audit (session) WHERE type = 'ended';
`);
const insert = database.prepare("INSERT OR IGNORE INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

/** The columns between `type` and `address`. */
function columnsOf(event: LifecycleEvent) {
  if (event.type === "refused") return [null, null, event.code, null, null];
  const { publicId, userId = null } = event;
  if (event.type === "forbidden")
    return [publicId, userId, event.code, event.path ?? event.room ?? event.namespace ?? null, null];
  return [publicId, userId, event.type === "ended" ? event.reason : null, null, event.by];
}

function write(event: LifecycleEvent) {
  if (event.type === "ended" && event.by === "elsewhere") return; // the node that ended it writes it
  insert.run(event.at, event.type, ...columnsOf(event), event.address ?? null);
}
sessions.on("lifecycle", write);
sessions.on("error", (error) => console.error(error.code, error.stack));

const app = express();
app.use(sessions.express());

app.post("/login/:name", (req, res, next) => {
  sessions.login(req, { userId: String(req.params.name) }).then(() => res.send("in"), next);
});

app.post("/logout", (req, res, next) => {
  sessions.logout(req, res).then(() => res.send("out"), next);
});

const isAdmin = sessions.require((data) => data.userId === "admin", { code: "NOT_ADMIN" });
app.use("/admin", isAdmin, (_req, res) => res.send("the administration"));

const newest = database.prepare("SELECT * FROM audit WHERE user_id = ? ORDER BY rowid DESC LIMIT 50");
app.get("/activity", (req, res) => {
  const { userId } = sessions.of(req);
  if (userId === undefined) res.status(401).send("Log in first.");
  else res.json(newest.all(userId));
});

const server = createServer(app);
const io = new Server(server);
sessions.attach(io);

server.listen(3000);
