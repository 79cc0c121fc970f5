// A page whose tabs share one session. In an empty folder:
//
//   npm install socket-session express-session socket.io express
//   node quick-start.cjs
//
// Open the address that it prints in two tabs.
const { randomBytes } = require("node:crypto");
const { createServer } = require("node:http");
const express = require("express");
const { Server } = require("socket.io");
const { liveSessions } = require("socket-session");
const { memoryStore } = require("socket-session/memory");

// In place of session({ … }), with the same options and some more.
const sessions = liveSessions({
  store: memoryStore(), // to try it out: a restart logs all users out
  secret: process.env.SESSION_SECRET ?? randomBytes(32).toString("hex"), // in production, set it
  cookie: { sameSite: "lax", secure: "auto" },
  ttlMs: 3_600_000, // a session ends an hour after its last request or socket event
});

const app = express();
app.get("/", (_req, res) => res.send(page)); // before the sessions, as the page needs none
app.use(sessions.express()); // express-session itself, in place of app.use(session({ … }))

app.post("/login", express.urlencoded({ extended: false }), (req, res, next) => {
  const name = String(req.body?.name || "Anonymous"); // check a password here
  sessions.login(req, { name, clicks: 0 }).then(() => res.redirect("/"), next);
});
app.post("/logout", (req, res, next) => {
  sessions.logout(req, res).then(() => res.redirect("/"), next);
});

const server = createServer(app);
const io = new Server(server);
sessions.attach(io); // a socket without a session is refused; the others have socket.session, and close with it

io.on("connection", (socket) => {
  const { session } = socket;
  const show = () => {
    const { name, clicks } = session.data; // the current data: a property read, no I/O
    socket.emit("session", { name, clicks });
  };
  show();
  session.on("change", show); // by any tab, request or process
  socket.on("click", () =>
    session.update((s) => {
      s.clicks = (s.clicks ?? 0) + 1; // a transaction: no click is lost
    }),
  );
});

const port = process.env.PORT ?? 3000;
server.listen(port, () => console.log(`http://localhost:${port}`));

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>One session, all tabs</title>
<style>
  :root { color-scheme: light dark; font: 1.1rem/1.6 system-ui, sans-serif }
  body { max-width: 26rem; margin: 12vh auto; padding: 0 1rem }
  h1 { font-size: 1.5rem } form { margin: 1rem 0 } [hidden] { display: none }
  input, button { font: inherit; padding: .4rem .8rem } input { width: 12rem }
</style>
<h1>One session, all tabs</h1>
<p id="status" role="status">Connecting …</p>
<form id="login" action="/login" method="post" hidden>
  <input name="name" aria-label="Your name" placeholder="Your name" required> <button>Log in</button>
</form>
<form id="click" hidden><button>Click</button></form>
<form id="logout" action="/logout" method="post" hidden><button>Log out</button></form>
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io();
  function show(text, ...ids) {
    document.getElementById("status").textContent = text;
    for (const form of document.forms) form.hidden = !ids.includes(form.id);
  }
  socket.on("session", ({ name, clicks }) => show("You are " + name + ". Clicks in all tabs: " + clicks + ".", "click", "logout"));
  socket.on("session:end", ({ reason }) => show("Logged out (" + reason + ").", "login")); // then the socket closes
  socket.on("connect_error", ({ data }) => {
    if (socket.active) show("No connection, trying again …"); // the client retries on its own
    else show("Not logged in (" + data?.code + ").", "login");
  });
  document.getElementById("click").onsubmit = (event) => {
    event.preventDefault();
    socket.emit("click");
  };
</script>
</html>`;
