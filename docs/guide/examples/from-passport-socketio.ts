import { createServer } from "node:http";
import express, { type Request } from "express";
import passport from "passport";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

declare global {
  namespace Express {
    interface User {
      id: string;
      name: string;
    }
  }
}
declare module "express-session" {
  interface SessionData {
    passport?: { user?: string };
    profileVersion?: number;
  }
}

const users = new Map([["ada", { id: "ada", name: "Ada" }]]);
const findUser = async (id: string | undefined) => users.get(id ?? "");

class NameStrategy extends passport.Strategy {
  override name = "name";
  override async authenticate(req: Request) {
    const user = await findUser(String(req.params.name));
    if (user) this.success(user);
    else this.fail(401);
  }
}

passport.use(new NameStrategy());
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id: string, done) => {
  findUser(id).then((user) => done(null, user ?? false), done);
});

const sessions = liveSessions({
  store: memoryStore(),
  name: "sid",
  secret: process.env.SESSION_SECRET ?? "",
  userId: (data) => data.passport?.user,
});

const app = express();
app.use(sessions.express());
app.use(passport.session());

app.post("/login/:name", passport.authenticate("name"), (req, res) => {
  res.json(req.user);
});
app.post("/rename/:name", (req, res) => {
  if (!req.user) return void res.status(401).end();
  users.set(req.user.id, { ...req.user, name: req.params.name });
  req.session.profileVersion = (req.session.profileVersion ?? 0) + 1;
  res.status(204).end();
});
app.post("/logout", (req, res, next) => {
  req.logout((error) => (error ? next(error) : res.status(204).end()));
});

const server = createServer(app);
const io = new Server(server);
sessions.attach(io);

io.use((socket, next) => {
  const loadUser = async () => {
    socket.data.user = await findUser(socket.session.userId);
    if (!socket.data.user)
      throw Object.assign(new Error("Log in first."), { data: { code: "LOGIN_REQUIRED" } });
  };
  socket.session.on("change", () => void loadUser().catch(() => socket.disconnect()));
  loadUser().then(() => next(), next);
});

io.on("connection", (socket) => {
  socket.join(`user ${socket.session.userId}`);
  socket.on("who am I", (done) => done(socket.data.user.name));
});

server.listen(3000);
