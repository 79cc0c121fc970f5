/** Plain express-session for the requests, and sockets that know nothing of it. */
import session from "express-session";
import { type Application, cookieName, type Subject } from "./subject.ts";

/** As the how-tos of most stores have it. */
export async function expressSession(
  { store, secrets }: Pick<Application, "store" | "secrets">,
  options: Partial<session.SessionOptions> = {},
) {
  return session({
    name: cookieName,
    secret: [...secrets],
    store: await store.forExpressSession(),
    resave: false,
    saveUninitialized: false,
    ...options,
  });
}

export const plain: Subject = {
  name: "plain",
  title: "plain express-session",
  async install(application) {
    application.app.use(await expressSession(application));
    return { read: (_socket, done) => done("ada") };
  },
};
