import { createServer } from "node:http";
import express, { type NextFunction, type Request, type Response } from "express";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";

declare module "express-session" {
  interface SessionData {
    userId?: string;
    device?: string;
  }
}

const sessions = liveSessions({
  store: memoryStore(),
  name: "sid",
  secret: process.env.SESSION_SECRET ?? "",
  cookie: { sameSite: "lax", secure: "auto" },
  userId: (data) => data.userId,
  device: (data) => data.device,
});

const app = express();
app.use(sessions.express());

type Route = (req: Request, res: Response) => Promise<unknown>;

/** Passes the rejection of an async route to Express 4, as Express 5 does itself. */
const safely = (route: Route) => (req: Request, res: Response, next: NextFunction) => {
  route(req, res).catch(next);
};

app.post("/login/:name", (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.userId = String(req.params.name);
    req.session.device = req.get("user-agent") ?? "unknown";
    res.send("in");
  });
});

app.get(
  "/devices",
  safely(async (req, res) => {
    const { userId, publicId } = sessions.of(req);
    if (userId === undefined) return res.status(401).send("Log in first.");
    const devices = await sessions.user(userId).list();
    res.json(devices.map((one) => ({ ...one, isThis: one.publicId === publicId })));
  }),
);

app.post(
  "/devices/:publicId/end",
  safely(async (req, res) => {
    const { userId } = sessions.of(req);
    if (userId === undefined) return res.status(401).send("Log in first.");
    const ended = await sessions.user(userId).end({ publicId: String(req.params.publicId) });
    res.status(ended === 1 ? 204 : 404).end();
  }),
);

app.post(
  "/devices/end-others",
  safely(async (req, res) => {
    const { userId, publicId } = sessions.of(req);
    if (userId === undefined) return res.status(401).send("Log in first.");
    const ended = await sessions.user(userId).end({ exceptPublicId: publicId });
    res.json({ ended });
  }),
);

const server = createServer(app);
const io = new Server(server);
sessions.attach(io);

server.listen(3000);
