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
  }
}

const users = [{ id: "1", name: "ada", password: "changeit" }];
const findUser = async (id: string | undefined) => users.find((user) => user.id === id);

class PasswordStrategy extends passport.Strategy {
  override name = "password";
  override authenticate({ body }: Request) {
    const user = users.find(({ name }) => name === body?.name);
    if (user && user.password === body.password) this.success(user);
    else this.fail(401);
  }
}

passport.use(new PasswordStrategy());
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id: string, done) => {
  findUser(id).then((user) => done(null, user ?? false), done);
});

const sessions = liveSessions({
  store: memoryStore(),
  secret: process.env.SESSION_SECRET ?? "",
  userId: (data) => data.passport?.user,
});

const app = express();
app.use(sessions.express());
app.use(express.urlencoded({ extended: false }));
app.use(passport.session());

app.post("/login", passport.authenticate("password"), (_req, res) => {
  res.send("in");
});
app.post("/logout", (req, res, next) => {
  sessions.logout(req, res).then(() => res.status(204).end(), next);
});

const server = createServer(app);
const io = new Server(server);
sessions.attach(io);

io.use(async (socket, next) => {
  socket.data.user = await findUser(socket.session.userId);
  if (socket.data.user) next();
  else next(Object.assign(new Error("Log in first."), { data: { code: "LOGIN_REQUIRED" } }));
});

io.on("connection", (socket) => {
  socket.join(`session:${socket.session.publicId}`);
  socket.join(`user:${socket.session.userId}`);
  socket.on("whoami", (done) => done(socket.data.user.name));
});

server.listen(3000);
