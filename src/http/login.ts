/** `sessions.login(req, data)`: a new session for a visitor who has shown who they are. */
import type { IncomingMessage } from "node:http";
import { invalid, isPlain } from "../base/arguments.ts";
import { SocketSessionError } from "../base/errors.ts";
import { shownKey } from "../base/shown.ts";
import { writableDocument } from "../data/bounds.ts";
import { fieldsOf, type SessionValues, valuesOf } from "../data/fields.ts";
import { refuseLosses } from "../data/lost-in-json.ts";
import { cookieOf } from "../data/snapshot.ts";
import type { Hub } from "../live/hub.ts";
import type { SessionHandle } from "../session/session-handle.ts";
import { isCarried } from "./loaded-sessions.ts";
import { ownStoreOf, type Request, requireSession, requireUnsent } from "./request-checks.ts";
import type { Responses } from "./responses.ts";

interface LoginContext {
  readonly hub: Hub;
  readonly responses: Responses;
  readonly maxSessionBytes: number;
  /** `sessions.of(req)`. */
  readonly of: (request: Request) => SessionHandle;
}

const method = "sessions.login(req, data)";

/**
 * `req.session` holds the data once they are stored, and not before. If they can't be, the request gets another id: the
 * store may still write the first, which no browser has received by then.
 */
export async function logIn(
  context: LoginContext,
  request: IncomingMessage,
  data: unknown,
): Promise<SessionHandle> {
  requireSession(method, request);
  const store = ownStoreOf(request, context.hub);
  if (!store) {
    const cure = "Put this object's sessions.express() before the route, in place of session({ … }).";
    throw invalid(`${method} expects a request with a session of its own`, request.sessionStore, cure);
  }
  const values = valuesOfLogin(data, request.session, context.maxSessionBytes);
  const response = context.responses.of(request);
  requireUnsent(method, response);
  await store.replace(request);
  const { sessionID: sid } = request;
  const isOwn = () => request.session?.id === sid;
  try {
    requireUnsent(method, response);
    const session = context.of(request);
    await session.update((draft) => {
      for (const key of Object.keys(draft)) delete draft[key]; // of another session, if `genid` returned its id
      Object.assign(draft, values);
    });
    if (!isOwn()) {
      await session.end(); // the browser does not get its id
      throw otherSession();
    }
    store.created(request);
    return session;
  } catch (error) {
    if (isOwn()) store.generate(request); // an undone login has got one already
    throw error;
  }
}

function otherSession(): SocketSessionError {
  const message = `${method} expects to be the only one to change the request's session; another call replaced or removed it, so the login was undone. Await one before the next.`;
  return new SocketSessionError("INVALID_OPTION", message);
}

/** Checked as `update` checks a draft, before anything ends. Throws `INVALID_OPTION`, `SESSION_INVALID_DATA`. */
function valuesOfLogin(data: unknown, session: object, maxBytes: number): SessionValues {
  const expected = `${method} expects the data of the new session, an object`;
  const cure = "Say at least who has logged in: { userId: user.id }.";
  if (!isPlain(data)) throw invalid(expected, data, cure);
  const foreign = Object.keys(data).find((key) => key === "cookie" || !isCarried(session, key));
  if (foreign !== undefined) {
    const message = `The data given to sessions.login() set ${shownKey(foreign)}, which belongs to express-session. Use another key. Nothing was written.`;
    throw new SocketSessionError("SESSION_INVALID_DATA", message);
  }
  const fields = fieldsOf(data);
  if (fields.size === 0) throw invalid(`${expected} with a value`, data, cure);
  refuseLosses(data, fields);
  writableDocument({ fields, cookie: cookieOf(session) }, maxBytes);
  return valuesOf(fields);
}
