/** The package express-socket.io-session, as its README shows it. */

import type { SessionData } from "express-session";
import shareSession from "express-socket.io-session";
import { expressSession } from "./plain.ts";
import type { Subject } from "./subject.ts";

export const expressSocketioSession: Subject = {
  name: "express-socket.io-session",
  title: "express-socket.io-session, stale",
  async install(application) {
    const middleware = await expressSession(application, { resave: true, saveUninitialized: true });
    application.app.use(middleware);
    application.io.use(shareSession(middleware, { autoSave: true }));
    return {
      read({ handshake }, done) {
        const session: SessionData = Reflect.get(handshake, "session");
        done(session.name);
      },
    };
  },
};
