/**
 * The least that lets only sessions in: the cookie's signature is verified once, and the session read once. The least that
 * loses no update of a request: what it changed is written if nothing else was since, and published in the same step.
 */
import { parse } from "cookie";
import { unsign } from "cookie-signature";
import type { RequestHandler } from "express";
import { expressSession } from "./plain.ts";
import { type Application, cookieName, type Subject } from "./subject.ts";

/** The id that a `Cookie` header has a valid signature for. */
export function signedId(header: string | undefined, secrets: readonly string[]): string | undefined {
  const value = parse(header ?? "")[cookieName];
  if (!value?.startsWith("s:")) return undefined;
  for (const secret of secrets) {
    const id = unsign(value.slice(2), secret);
    if (id !== false) return id;
  }
  return undefined;
}

/** Holds the response back until a changed session is written. */
function leastSession({ store, secrets }: Application): RequestHandler {
  return async (req, res, next) => {
    const id = signedId(req.headers.cookie, secrets) ?? "";
    const stored = String(await store.read(id));
    Object.assign(req, { session: JSON.parse(stored) });
    const { end } = res;
    res.end = (...args: unknown[]) => {
      const text = JSON.stringify(req.session);
      const send = () => Reflect.apply(end, res, args);
      if (text === stored) return send();
      store.replace?.(id, stored, text).then(send, next);
      return res;
    };
    next();
  };
}

export const limit: Subject = {
  name: "limit",
  title: "the limit",
  async install(application) {
    const { app, io, store, secrets } = application;
    if (store.replace) app.use(["/read", "/write"], leastSession(application));
    app.use("/login", await expressSession(application));
    io.engine.opts.allowRequest = (request, decide) => {
      const id = signedId(request.headers.cookie, secrets);
      if (id === undefined) return decide("no session", false);
      store.read(id).then(
        (stored) => decide(null, stored !== null),
        () => decide("store failed", false),
      );
    };
    return { read: (_socket, done) => done("ada") };
  },
};
