/** This library. */
import type {} from "socket-session"; // for socket.session
import { loadLibrary } from "../run/library.ts";
import { cookieName, type Subject } from "./subject.ts";

export const socketSession: Subject = {
  name: "socket-session",
  title: "socket-session",
  async install({ app, io, store, secrets, checkout, times }) {
    const { liveSessions } = await loadLibrary(checkout, ".");
    const sessions = liveSessions({
      store: await store.forLibrary(checkout),
      name: cookieName,
      secret: [...secrets],
      userId: (data) => data.userId,
      ...times,
    });
    const errors: unknown[] = [];
    sessions.on("error", (error) => errors.push(error));
    app.use(sessions.express());
    sessions.attach(io);
    return {
      read: (socket, done) => done(socket.session.data.name),
      increment: (socket) =>
        socket.session.update((data) => {
          data.n = (data.n ?? 0) + 1;
        }),
      ends: {
        user: (id) => sessions.user(id).end(),
        each: async (ids) => (await Promise.all(ids.map((id) => sessions.end(id)))).filter(Boolean).length,
        async close() {
          const { clientsCount } = io.engine;
          await sessions.close();
          return clientsCount;
        },
      },
      errors,
      close: () => sessions.close(),
    };
  },
};

/** The sources of another checkout, for a comparison of the two. */
export const before: Subject = { ...socketSession, name: "before", title: "socket-session before" };
