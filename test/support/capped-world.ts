/** Applications whose users may have so many sessions, and the logins of their visitors. */
import type { ErrorRequestHandler, Express, Request } from "express";
import passport from "passport";
import type { LiveSessions, LiveSessionsOptions, SessionsPerUser } from "socket-session";
import type { Browser } from "./browser.ts";
import { installHandlers } from "./handlers.ts";
import { startWorld, type World } from "./world.ts";

const worlds: World[] = [];

export async function closeWorlds(): Promise<void> {
  for (const world of worlds.splice(0).reverse()) await world.close();
}

class NameStrategy extends passport.Strategy {
  override name = "name";
  override authenticate(req: Request): void {
    this.success({ id: req.body.userId });
  }
}

/** Each way to log in; an error is answered with its status and code. */
function routes(app: Express, sessions: LiveSessions): void {
  app.post("/new-login", (req, res, next) => {
    sessions.login(req, req.body).then(({ publicId }) => res.send(publicId), next);
  });
  app.post("/save-login", (req, res, next) => {
    req.session.regenerate(() => {
      Object.assign(req.session, req.body);
      req.session.save((error) => (error ? next(error) : res.send("in")));
    });
  });
  app.post("/update-login", (req, res, next) => {
    const update = sessions.of(req).update((s) => void Object.assign(s, req.body));
    update.then(() => res.send("in"), next);
  });
  const authenticator = new passport.Passport();
  authenticator.use(new NameStrategy());
  authenticator.serializeUser((user, done) => done(null, (user as { id: string }).id));
  app.post("/passport-login", authenticator.authenticate("name"), (_req, res) => void res.send("in"));
  const onError: ErrorRequestHandler = (error, req, res, next) => {
    failures.push(error);
    if (res.headersSent) return next(error);
    const { cookie: _cookie, ...data } = req.session;
    res.status(error.status).json({ code: error.code, data });
  };
  app.use(onError);
}
/** What the applications' handlers of errors were given. */
export const failures: { readonly code: string }[] = [];

export async function startCapped(
  store: LiveSessionsOptions["store"],
  cap?: SessionsPerUser,
): Promise<World> {
  const world = await startWorld({
    store,
    userId: (data) => data.userId ?? data.passport?.user,
    ...(cap ? { sessionsPerUser: cap } : {}),
    routes,
    sockets: (io) =>
      installHandlers(io, (socket) => {
        socket.on("become", (userId, done) => {
          const update = socket.session.update((s) => void Object.assign(s, { userId }));
          update.then(
            () => done("in"),
            ({ code }) => done(code),
          );
        });
      }),
  });
  failures.splice(0);
  worlds.push(world);
  return world;
}

/** Logins of one millisecond are in the order of their ids. */
export async function later(): Promise<void> {
  const now = Date.now();
  while (Date.now() <= now) await new Promise(setImmediate);
}

/** The status of the answer, and what it says of an error. */
export async function post(browser: Browser, path: string, data: object) {
  const headers = { "content-type": "application/json" };
  const { status, body } = await browser.request(path, {
    method: "POST",
    headers,
    body: JSON.stringify(data),
  });
  return { status, body };
}

export async function logIn(browser: Browser, data: object = { userId: "ada" }, path = "/new-login") {
  await later();
  const { status, body } = await post(browser, path, data);
  return status === 200 ? "in" : { status, ...JSON.parse(body) };
}

export const dataOf = async (browser: Browser) => JSON.parse(await browser.get("/session")).data;
export const isIn = async (browser: Browser) => (await dataOf(browser)).userId === "ada";
export const endOldest = (max: number) => ({ max, whenFull: "endOldest" }) as const;
export const refuse = (max: number) => ({ max, whenFull: "refuse" }) as const;
