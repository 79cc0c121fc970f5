import type { IncomingMessage, ServerResponse } from "node:http";
import { HiddenProperty } from "../base/hidden-property.ts";
import { PassingList } from "../base/passing-list.ts";
import { refuseUnusable } from "../data/bounds.ts";

type End = ServerResponse["end"];
type WriteHead = ServerResponse["writeHead"];
type WithSession = { session?: unknown };

/** A class, as V8 may allocate literals among what lives long, where each would keep its response for as long. */
class Answered {
  readonly response: ServerResponse;
  isWatched = false;
  isEnding = false;

  constructor(response: ServerResponse) {
    this.response = response;
  }
}

/**
 * Knows the response of each request, whether it has been sent, and whether it is ending right now. `express-session`
 * saves implicitly from within `res.end`, which distinguishes such a save from an explicit one.
 */
export class Responses {
  readonly #answered = new HiddenProperty<Answered>("answered");
  /** The response whose `end` is being called right now. */
  #ended: ServerResponse | undefined;
  /** Those not sent yet. */
  readonly #open = new PassingList<ServerResponse>();
  readonly #added = new HiddenProperty<true>("added");

  remember(request: IncomingMessage, response: ServerResponse): void {
    if (this.#answered.get(request)?.response !== response) this.#follow(request, response);
  }

  /** Also finds the response of a middleware made elsewhere. */
  of(request: object): ServerResponse | undefined {
    return this.#answered.get(request)?.response ?? responseOf(request);
  }

  /** To be called after `express-session` has replaced the response's `end`. */
  watch(request: object): void {
    const response = this.of(request);
    const answered = response && (this.#answered.get(request) ?? this.#follow(request, response));
    if (!answered || answered.isWatched) return;
    answered.isWatched = true;
    const { end, writeHead } = response;
    response.end = ((...args: Parameters<End>): ServerResponse => {
      const outer = this.#ended;
      this.#ended = response;
      answered.isEnding = true;
      try {
        return withUsableSession(request, () => end.apply(response, args));
      } finally {
        answered.isEnding = false;
        this.#ended = outer;
      }
    }) as End;
    response.writeHead = ((...args: Parameters<WriteHead>): ServerResponse => {
      const write = () => writeHead.apply(response, args);
      return answered.isEnding ? write() : withUsableSession(request, write);
    }) as WriteHead;
  }

  /**
   * To be called when `express-session` begins to write to the store, and the returned function when it has its answer.
   * Within `res.end` it then writes the headers and most of the body, and ends the response once it has the answer. All of it
   * leaves together, after the write: a page that has the headers may connect at once, also to another node. The end of a
   * middleware that ran before, such as a compression, may be waiting for the socket to drain, so it is not relied on.
   */
  hold(): () => void {
    const socket = this.#ended?.socket;
    socket?.cork();
    return () => socket?.uncork();
  }

  /** True within `res.end`, and for an HTTP request whose response is unknown. */
  isEnding(request: object): boolean {
    return this.#answered.get(request)?.isEnding ?? ("headers" in request && !responseOf(request));
  }

  /** Resolves once the response was handed to the network, or its connection is gone. */
  settled(request: object): Promise<void> | undefined {
    const response = this.of(request);
    return response && settled(response);
  }

  #follow(request: object, response: ServerResponse): Answered {
    const answered = new Answered(response);
    this.#answered.set(request, answered);
    this.#add(response);
    return answered;
  }

  /** Not every response is Node's: a handshake of `ws` may come with an empty object. */
  #add(response: ServerResponse): void {
    if (this.#added.get(response) || isOver(response) || typeof response.once !== "function") return;
    const remove = this.#open.add(response);
    this.#added.set(response, true);
    response.once("finish", remove);
    response.once("close", remove);
  }

  /** Resolves once the responses open now have settled: `express-session` saves before that. */
  async allSettled(): Promise<void> {
    await Promise.all(this.#open.items().map(settled));
  }
}

/** By Express's `req.res`. */
function responseOf(request: object): ServerResponse | undefined {
  const { res } = request as { res?: ServerResponse };
  return typeof res?.end === "function" ? res : undefined;
}

function isOver(response: ServerResponse): boolean {
  return response.writableFinished || response.destroyed;
}

function settled(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (isOver(response)) return resolve();
    response.once("finish", () => resolve());
    response.once("close", () => resolve());
  });
}

/**
 * `express-session` serializes the session when the headers are written, and within `res.end`. If it can't, as with
 * data nested too deeply, it throws there and the response is never sent. So it gets a stand-in whose save fails with
 * the actual error: the response is sent, and `next(error)` is called as for any failed save.
 */
function withUsableSession<T>(request: WithSession, send: () => T): T {
  const { session } = request;
  const error = typeof session === "object" && session !== null ? faultOf(session) : undefined;
  if (error === undefined) return send();
  const other = standIn(Object(session), error);
  request.session = other;
  try {
    return send();
  } finally {
    if (request.session === other) request.session = session;
  }
}

function faultOf(session: object): unknown {
  try {
    refuseUnusable(session);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The parts of a session that `express-session` uses then. It differs from any real session, so that it is saved. */
function standIn(session: object, error: unknown): object {
  const save = (callback: (error: unknown) => void) => process.nextTick(callback, error);
  return {
    id: Reflect.get(session, "id"),
    cookie: Reflect.get(session, "cookie"),
    isChanged: true,
    touch() {},
    save,
  };
}
