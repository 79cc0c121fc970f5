// socket-session with Passport. In this folder: npm install, then npm start. Log in as ada, with changeit.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import express from "express";
import passport from "passport";
import { Strategy } from "passport-local";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

const users = [{ id: "1", name: "ada", password: "changeit" }]; // in a database, with a hash of the password
const findUser = async (id) => users.find((user) => user.id === id);

passport.use(
  new Strategy((name, password, done) => {
    const user = users.find((one) => one.name === name && one.password === password);
    done(null, user ?? false);
  }),
);
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => {
  findUser(id).then((user) => done(null, user ?? false), done);
});

const sessions = liveSessions({
  store: memoryStore(),
  secret: process.env.SESSION_SECRET ?? randomBytes(32).toString("hex"),
  cookie: { sameSite: "lax", secure: "auto" },
  ttlMs: 3_600_000,
  userId: (data) => data.passport?.user, // what serializeUser gives
});

const app = express();
app.get("/", (_req, res) => res.sendFile(join(import.meta.dirname, "index.html")));
app.use(sessions.express());
app.use(passport.session());

const form = express.urlencoded({ extended: false });
app.post("/login", form, passport.authenticate("local", { successRedirect: "/", failureRedirect: "/" }));
app.post("/logout", (req, res, next) => {
  sessions.logout(req, res).then(() => res.redirect("/"), next);
});

const server = createServer(app);
const io = new Server(server);
sessions.attach(io);

io.use(async (socket, next) => {
  const user = await findUser(socket.session.userId);
  socket.data.name = user?.name;
  next(user ? undefined : Object.assign(new Error("Log in first."), { data: { code: "LOGIN_REQUIRED" } }));
});

io.on("connection", (socket) => {
  const { session } = socket;
  const show = () => socket.emit("session", { name: socket.data.name, clicks: session.data.clicks ?? 0 });
  show();
  session.on("change", show);
  socket.on("click", () =>
    session.update((s) => {
      s.clicks = (s.clicks ?? 0) + 1;
    }),
  );
});

const port = process.env.PORT ?? 3000;
server.listen(port, () => console.log(`http://localhost:${port}`));
