/**
 * The least with `express-session`: it reads the session once, extends nothing, and writes what a request changed if nothing
 * else was written since, and publishes it in the same step. No merge, and no sockets that learn of it.
 */
import type session from "express-session";
import { OwnWayStore, useOwnWay } from "./plain.ts";
import type { Subject } from "./subject.ts";

class LeastStore extends OwnWayStore {
  readonly #textBySid = new Map<string, string>();

  get(sid: string, done: (error: unknown, data?: session.SessionData | null) => void): void {
    this.own.read(sid).then((found) => {
      const text = found === null ? undefined : String(found);
      if (text !== undefined) this.#textBySid.set(sid, text);
      done(null, text === undefined ? null : JSON.parse(text));
    }, done);
  }

  set(sid: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    const before = this.#textBySid.get(sid);
    if (before === undefined || !this.own.replace) {
      this.usual.set(sid, data, done);
      return;
    }
    const isDone = (written: unknown) =>
      done?.(written ? undefined : new Error("Somebody else has written."));
    this.own.replace(sid, before, JSON.stringify(data)).then(isDone, done);
  }
}

export const limitSession: Subject = {
  name: "limit-session",
  title: "the limit by express-session",
  async install(application) {
    await useOwnWay(application, LeastStore);
    return { read: (_socket, done) => done("ada") };
  },
};
