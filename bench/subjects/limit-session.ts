/**
 * The least with `express-session`: it reads the session once, extends nothing, and writes what a request changed if nothing
 * else was written since, and publishes it in the same step. No merge, and no sockets that learn of it.
 */
import session from "express-session";
import { expressSession } from "./plain.ts";
import type { Application, Subject } from "./subject.ts";

class LeastStore extends session.Store {
  readonly #store: Application["store"];
  /** New sessions are its. */
  readonly #usual: session.Store;
  readonly #textBySid = new Map<string, string>();

  constructor(store: Application["store"], usual: session.Store) {
    super();
    this.#store = store;
    this.#usual = usual;
  }

  get(sid: string, done: (error: unknown, data?: session.SessionData | null) => void): void {
    this.#store.read(sid).then((found) => {
      const text = found === null ? undefined : String(found);
      if (text !== undefined) this.#textBySid.set(sid, text);
      done(null, text === undefined ? null : JSON.parse(text));
    }, done);
  }

  set(sid: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    const before = this.#textBySid.get(sid);
    if (before === undefined || !this.#store.replace) {
      this.#usual.set(sid, data, done);
      return;
    }
    const isDone = (written: unknown) =>
      done?.(written ? undefined : new Error("Somebody else has written."));
    this.#store.replace(sid, before, JSON.stringify(data)).then(isDone, done);
  }

  destroy(sid: string, done?: (error?: unknown) => void): void {
    this.#usual.destroy(sid, done);
  }
}

export const limitSession: Subject = {
  name: "limit-session",
  title: "the limit by express-session",
  async install(application) {
    const { app, store } = application;
    const usual = await store.forExpressSession();
    const least = { ...store, forExpressSession: async () => new LeastStore(store, usual) };
    app.use(await expressSession({ ...application, store: least }));
    return { read: (_socket, done) => done("ada") };
  },
};
