/**
 * An application as one writes it with Express: it logs in, keeps data in `req.session`, and logs out, in each of the ways
 * that the README shows. Its clients say in the query what to do; what it saw of the session is in the answer.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from "express";
import type { EndReceipt, LiveSessions } from "socket-session";
import { valuesOf } from "../ledger.ts";
import { codeOf, Failure } from "../operations.ts";
import type { Values } from "../trace.ts";

/**
 * Records operations that failed after their answer had begun: express-session saves by itself as the response ends, too
 * late to report a failure to the client. Nor does the client learn that its changes to an ended session are discarded.
 */
export class LateFailures {
  readonly #codesByOp = new Map<string, string>();
  readonly #running = new AsyncLocalStorage<string>();

  constructor(sessions: LiveSessions) {
    sessions.on("discard", () => this.add(this.#running.getStore() ?? "", "SESSION_ENDED"));
  }

  run(op: string, next: () => void): void {
    this.#running.run(op, next);
  }

  add(op: string, code: string): void {
    this.#codesByOp.set(op, code);
  }

  take(op: string): string | undefined {
    const code = this.#codesByOp.get(op);
    this.#codesByOp.delete(op);
    return code;
  }
}

export interface ApplicationHooks {
  readonly pause: (ms: number) => Promise<void>;
  readonly onReceipt: (sid: string, receipt: EndReceipt) => void;
}

export function application(
  sessions: LiveSessions,
  failures: LateFailures,
  { pause, onReceipt }: ApplicationHooks,
): Express {
  const app = express().set("env", "test"); // failures are answered, not printed
  app.disable("etag");
  app.use((req, _res, next) => failures.run(asked(req, "op"), next));
  app.use(reporting(sessions.express(), failures));
  app.use("/session", sessions.routes());
  app.get("/", load(sessions));
  app.post("/login", login);
  app.post("/append", append(sessions));
  app.post("/save", save(sessions, pause));
  app.post("/logout", logout(sessions, onReceipt));
  const failed: ErrorRequestHandler = (error, _req, res, _next) => {
    res.status(500).json({ code: codeOf(error) });
  };
  app.use(failed);
  return app;
}

/** Where the middleware fails a second time, it is as the response ends. */
function reporting(middleware: RequestHandler, failures: LateFailures): RequestHandler {
  return (req, res, next) => {
    let isPassed = false;
    // express-session gives the error of a late save to an immediate: it runs before this one
    res.once("finish", () => setImmediate(() => {}));
    middleware(req, res, (error?: unknown) => {
      if (isPassed) return failures.add(asked(req, "op"), codeOf(error));
      isPassed = true;
      next(error);
    });
  };
}

/** A login gives the session a new id: whatever came before is over. */
const login: RequestHandler = async (req, res) => {
  const saw = sawOf(req);
  await called((done) => req.session.regenerate(done));
  Object.assign(req.session, { count: 0 });
  if (asked(req, "how") === "explicit") await called((done) => req.session.save(done));
  res.json({ saw });
};

function load(sessions: LiveSessions): RequestHandler {
  return async (req, res) => {
    const isReloaded = asked(req, "how") === "reload" && sawOf(req) !== null;
    const saw = isReloaded ? valuesOf(await sessions.of(req).reload()) : sawOf(req);
    res.json({ saw });
  };
}

function append(sessions: LiveSessions): RequestHandler {
  return async (req, res) => {
    if (sawOf(req) === null) return void res.status(401).json({ code: "SESSION_ENDED" });
    const [op, list] = [asked(req, "op"), asked(req, "key")];
    const saw = await sessions.of(req).update((draft) => appendTo(draft, list, op));
    if (!sawOf(req)?.lists[list]?.includes(op)) throw new Error("An update does not show in req.session.");
    res.json({ saw });
  };
}

/** Returns what the draft held before. */
export function appendTo(draft: object, list: string, op: string): Values {
  const saw = valuesOf({ ...draft });
  Object.assign(draft, { count: saw.count + 1, [list]: [...(saw.lists[list] ?? []), op] });
  return saw;
}

/** It takes as long as the client says, so that others change the session in between. */
function save(sessions: LiveSessions, pause: (ms: number) => Promise<void>): RequestHandler {
  return async (req, res) => {
    const saw = sawOf(req);
    if (saw === null) return void res.status(401).json({ code: "SESSION_ENDED" });
    await pause(Number(asked(req, "ms")));
    Object.assign(req.session, { [asked(req, "key")]: asked(req, "op") });
    if (asked(req, "how") === "explicit") await called((done) => req.session.save(done));
    if (asked(req, "how") === "update") await refresh(sessions, req);
    res.type("json").flushHeaders(); // as a stream does: a client that follows them comes back before the save
    res.end(JSON.stringify({ saw }));
  };
}

/** An update brings the rest of `req.session` up to date, and leaves alone what is not saved yet. */
async function refresh(sessions: LiveSessions, req: Request): Promise<void> {
  await sessions
    .of(req)
    .update(() => {})
    .catch(() => {
      throw new Failure("REFRESH_FAILED"); // what is not saved yet is, as the response ends
    });
}

function logout(sessions: LiveSessions, onReceipt: ApplicationHooks["onReceipt"]): RequestHandler {
  return async (req, res) => {
    const saw = sawOf(req);
    const how = asked(req, "how");
    if (saw !== null && how === "handle") await sessions.of(req).end();
    else if (saw !== null && how === "id")
      onReceipt(req.sessionID, await sessions.end(req.sessionID, { receipt: true }));
    else await called((done) => req.session.destroy(done));
    res.json({ saw });
  };
}

/** The session's content when the request came; null if it is not logged in. */
function sawOf({ session }: Request): Values | null {
  return "count" in session ? valuesOf({ ...session }) : null;
}

function asked(req: Request, name: string): string {
  const value = req.query[name];
  return typeof value === "string" ? value : "";
}

function called(call: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
}
