// socket-session with Fastify. In this folder: npm install, then npm start.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import formbody from "@fastify/formbody";
import middie from "@fastify/middie";
import Fastify from "fastify";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

const sessions = liveSessions({
  store: memoryStore(),
  secret: process.env.SESSION_SECRET ?? randomBytes(32).toString("hex"),
  cookie: { sameSite: "lax", secure: "auto" },
  ttlMs: 3_600_000,
});

const fastify = Fastify();
await fastify.register(formbody);
await fastify.register(middie); // has Fastify call Express's middleware
fastify.use(sessions.express()); // with Node's own request and response: request.raw, reply.raw

const page = await readFile(join(import.meta.dirname, "index.html"));
fastify.get("/", (_request, reply) => reply.type("text/html").send(page));

fastify.post("/login", async (request, reply) => {
  const name = String(request.body?.name || "Anonymous"); // check a password here
  await sessions.login(request.raw, { name, clicks: 0 });
  return reply.redirect("/", 303);
});
fastify.post("/logout", async (request, reply) => {
  await sessions.logout(request.raw, reply.raw);
  return reply.redirect("/", 303);
});

const io = new Server(fastify.server);
sessions.attach(io);

io.on("connection", (socket) => {
  const { session } = socket;
  const show = () => {
    const { name, clicks } = session.data;
    socket.emit("session", { name, clicks });
  };
  show();
  session.on("change", show);
  socket.on("click", () =>
    session.update((s) => {
      s.clicks = (s.clicks ?? 0) + 1;
    }),
  );
});

const port = Number(process.env.PORT ?? 3000);
await fastify.listen({ port, host: "0.0.0.0" }); // by default Fastify opens a second server, which io does not know
console.log(`http://localhost:${port}`);
