/** The least that lets only sessions in: the cookie's signature is verified once, and the session read once. */
import { parse } from "cookie";
import { unsign } from "cookie-signature";
import { expressSession } from "./plain.ts";
import { cookieName, type Subject } from "./subject.ts";

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

export const limit: Subject = {
  name: "limit",
  title: "the limit: verify the cookie, one read",
  async install(application) {
    const { app, io, store, secrets } = application;
    app.use(await expressSession(application));
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
