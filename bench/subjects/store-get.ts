/** The way of blog posts since 2013: a middleware of Socket.IO parses the signed cookie and asks the store itself. */
import type { SessionData } from "express-session";
import { signedId } from "./limit.ts";
import { expressSession } from "./plain.ts";
import type { Subject } from "./subject.ts";

export const storeGet: Subject = {
  name: "store-get",
  title: "io.use and store.get, stale",
  async install(application) {
    const { app, io, store, secrets } = application;
    app.use(await expressSession(application));
    const sessions = await store.forExpressSession();
    io.use((socket, next) => {
      const id = signedId(socket.request.headers.cookie, secrets);
      if (id === undefined) return next(new Error("no session"));
      sessions.get(id, (error, session) => {
        if (error || !session) return next(new Error("no session"));
        socket.data.session = session;
        next();
      });
    });
    const sessionOf = ({ data }: { data: { session: SessionData } }) => data.session;
    return { read: (socket, done) => done(sessionOf(socket).name) };
  },
};
