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

/** A store that reads and writes stored sessions in a way of its own. New sessions, and ends, are the usual store's. */
export abstract class OwnWayStore extends session.Store {
  protected readonly own: Application["store"];
  protected readonly usual: session.Store;

  constructor(own: Application["store"], usual: session.Store) {
    super();
    this.own = own;
    this.usual = usual;
  }

  destroy(sid: string, done?: (error?: unknown) => void): void {
    this.usual.destroy(sid, done);
  }
}

/** `express-session` with such a store. */
export async function useOwnWay(
  application: Application,
  Way: new (...given: ConstructorParameters<typeof OwnWayStore>) => session.Store,
): Promise<void> {
  const { app, store } = application;
  const own = new Way(store, await store.forExpressSession());
  app.use(await expressSession({ ...application, store: { ...store, forExpressSession: async () => own } }));
}

export const plain: Subject = {
  name: "plain",
  title: "plain express-session",
  async install(application) {
    application.app.use(await expressSession(application));
    return { read: (_socket, done) => done("ada") };
  },
};
