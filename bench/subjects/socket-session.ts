/** This library. */
import type {} from "socket-session"; // for socket.session
import { loadLibrary } from "../run/library.ts";
import { cookieName, type Subject } from "./subject.ts";

export const socketSession: Subject = {
  name: "socket-session",
  title: "socket-session",
  async install({ app, io, store, secrets, checkout }) {
    const { liveSessions } = await loadLibrary(checkout, ".");
    const sessions = liveSessions({
      store: await store.forLibrary(checkout),
      name: cookieName,
      secret: [...secrets],
      userId: (data) => data.userId,
    });
    app.use(sessions.express());
    sessions.attach(io);
    return {
      read: (socket, done) => done(socket.session.data.name),
      close: () => sessions.close(),
    };
  },
};

/** The sources of another checkout, for a comparison of the two. */
export const before: Subject = { ...socketSession, name: "before", title: "socket-session before" };
