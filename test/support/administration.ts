/** What administrators do with sessions, as routes and rules of the tests' nodes. */
import type { Express } from "express";
import type { Server, Socket } from "socket.io";
import type { LiveSessions, SessionRule } from "socket-session";

/** Only sessions with the name "ada" get into these, into the room "adas" of the main one, and to the path `/ruled`. */
const ruledNamespaces = ["/ruled", /^\/ruled-\d+$/] as const;

const ruleOf = (sessions: LiveSessions): SessionRule =>
  sessions.require(({ name }) => name === "ada", { code: "NOT_ADA" });

/** Routes that take the options of the method as JSON, and answer with its result. */
export function administrationRoutes(app: Express, sessions: LiveSessions): void {
  app.get("/public-id", (req, res) => res.send(sessions.of(req).publicId));
  app.get("/ruled", ruleOf(sessions), (_req, res) => res.send("in"));
  app.post("/end", async ({ body: { id, ...options } }, res) => res.json(await sessions.end(id, options)));
  app.post("/end-user", async ({ body: { user, ...options } }, res) => {
    res.json(await sessions.user(user).end(options));
  });
  app.post("/end-all", async ({ body: { named, ...options } }, res) => {
    const where = named === undefined ? {} : { where: ({ name }: { name?: string }) => name === named };
    res.json(await sessions.endAll({ ...options, ...where }));
  });
}

export function installAdministration(io: Server, sessions: LiveSessions): void {
  const rule = ruleOf(sessions);
  for (const namespace of ruledNamespaces) io.of(namespace).use(rule);
  io.on("connection", (socket: Socket) => {
    socket.on("end-with", async (options) => void (await socket.session.end(options)));
    /** From now on all in the room and in `namespace` are sent each change of the session, as soon as this node knows it. */
    socket.on("follow", (namespace: string, done) => {
      socket.session.on("change", ({ name }) => {
        for (const place of [io.to("adas"), io.of(namespace)]) place.emit("changed", name);
      });
      done();
    });
    socket.on("join", (done) => done(rule.room(socket, "adas")));
  });
}
