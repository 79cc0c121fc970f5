/** Socket.IO's how-to: the session middleware on the engine, and handlers that read what the handshake has loaded. */
import { pollForExpiry, requestOf, shareWithSockets } from "../../test/recipe/recipe.ts";
import { expressSession } from "./plain.ts";
import type { Application, Subject } from "./subject.ts";

async function install(application: Application): Promise<void> {
  const middleware = await expressSession(application, { resave: true, saveUninitialized: true });
  application.app.use(middleware);
  shareWithSockets(application.io, middleware);
}

export const recipe: Subject = {
  name: "recipe",
  title: "the documented recipe, stale",
  async install(application) {
    await install(application);
    return { read: (socket, done) => done(requestOf(socket).session.name) };
  },
};

/** The how-to's way to current data. */
export const recipeReload: Subject = {
  name: "recipe-reload",
  title: "the documented recipe with reloads",
  async install(application) {
    await install(application);
    return {
      read(socket, done) {
        const { session } = requestOf(socket);
        session.reload((error) => done(error ?? session.name));
      },
      increment: (socket) =>
        new Promise((resolve, reject) => {
          const request = requestOf(socket);
          request.session.reload((error) => {
            if (error) return reject(error);
            request.session.n = (request.session.n ?? 0) + 1;
            request.session.save((error) => (error ? reject(error) : resolve(true)));
          });
        }),
    };
  },
};

/** With the poll that the how-to advises for expiry. */
export const recipePoll: Subject = {
  name: "recipe-poll",
  title: "the documented recipe with polls",
  async install(application) {
    application.io.on("connection", (socket) => pollForExpiry(socket, 30_000));
    return recipe.install(application);
  },
};
