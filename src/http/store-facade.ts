import { Store } from "express-session";
import { LoginUndone } from "../base/errors.ts";
import { dropStart } from "../data/absolute-life.ts";
import { dateText } from "../data/life-time.ts";
import { isPeer } from "../live/actors.ts";
import type { SessionKey } from "../session-store.ts";
import type { HttpContext } from "./http-context.ts";
import type { LoadedSession } from "./loaded-sessions.ts";
import { asGiven, listed, requireSession, requireSid } from "./store-contract.ts";
import { StoreSaves } from "./store-saves.ts";

type Callback<T> = (error?: unknown, value?: T) => void;
type Request = Parameters<Store["createSession"]>[0];
type SessionData = Parameters<Store["createSession"]>[1];
type Generate = (request: Request) => void;

/**
 * The `express-session` store over the hub. A load records its base, a save is merged into what is stored, and nothing
 * revives an ended session. Each `session()` middleware needs its own object, as it puts its `generate` on it. Every
 * callback is called once. It is called asynchronously, and what it throws is reported by the `error` event: but for a
 * touch of `express-session` that is not due, which is answered at once.
 */
export class StoreFacade extends Store {
  /** Present if the underlying store can list, count or clear. */
  override all?: NonNullable<Store["all"]>;
  override length?: NonNullable<Store["length"]>;
  override clear?: NonNullable<Store["clear"]>;
  readonly #context: HttpContext;
  readonly #idsAreNew: boolean;
  readonly #saves: StoreSaves;
  #generate: Generate | undefined;

  /** `idsAreNew`: no id is generated twice, as is true without a `genid`. */
  constructor(context: HttpContext, idsAreNew = false) {
    super();
    this.#context = context;
    this.#saves = new StoreSaves(context);
    this.#idsAreNew = idsAreNew;
    const { hub, store } = context;
    if (store.all) this.all = (callback) => this.#answer(hub.store.all().then(asSessionList), callback);
    if (store.count) this.length = (callback) => this.#answer(hub.store.count(), callback);
    if (store.clear) this.clear = (callback) => this.#answer(this.#clear(), callback);
  }

  get(sid: string, callback: Callback<SessionData | null>): void {
    const { hub, loaded } = this.#context;
    const load = async (): Promise<SessionData | null> => {
      const key = this.#keyOf(sid, "get");
      // A request that follows a redirect arrives once the headers are sent. It must find what the first request is
      // still saving, or waiting to save.
      const underWay = this.#saves.underWay(sid);
      if (underWay) await underWay;
      const written = hub.lock.settled(sid); // this node's writes to the session
      if (written) await written;
      const since = hub.mark();
      const stored = await hub.reads.read(key);
      if (!stored) return null;
      const { document, expiresAt } = stored;
      // A touch moves the store's deadline, not the copy inside the document.
      if (document.cookie?.expires) document.cookie.expires = dateText(expiresAt);
      loaded.loaded(key, stored, since);
      return asSessionData<SessionData>(dropStart(document));
    };
    this.#answer(load(), callback);
  }

  set(sid: string, session: SessionData, callback?: Callback<void>): void {
    const request = requestOf(session);
    const save = () =>
      this.#saves.save(this.#recordOf(sid, session, "set"), session, this.#isEnding(session));
    const saved = attempt(() => this.#act(request, save)).catch((error: unknown) => {
      // The response, such as that of an error handler, sets the cookie of the request's session.
      if (error instanceof LoginUndone && isRequestWith(request, session)) this.generate(request);
      throw error;
    });
    this.#answer(saved, callback);
  }

  override touch(sid: string, session: SessionData, callback?: Callback<void>): void {
    const touched = attempt(() => {
      const record = this.#recordOf(sid, session, "touch");
      return this.#act(requestOf(session), () => this.#saves.touch(record, session));
    });
    // express-session then sends the response at once and in one piece, as it does without a store's touch.
    if (!touched && this.#isEnding(session)) callback?.();
    else this.#answer(touched ?? Promise.resolve(), callback);
  }

  destroy(sid: string, callback?: Callback<void>): void {
    const end = async (): Promise<void> => {
      await this.#context.hub.end(this.#keyOf(sid, "destroy"), "destroyed");
    };
    this.#answer(this.#act(undefined, end), callback);
  }

  override regenerate(request: Request, callback: Callback<void>): void {
    this.#answer(this.replace(request), callback);
  }

  /** Ends the request's session as `replaced`. Whether it rejects or not, the request then has a new session. */
  async replace(request: Request): Promise<void> {
    const { hub, nameOf, loaded, responses } = this.#context;
    const { session, sessionID } = request;
    const isNewId = session && loaded.of(sessionID, session).unstored?.isNewId;
    try {
      const settled = responses.settled(request);
      await this.#act(request, async () => {
        await hub.end(nameOf(request.sessionID), "replaced", { settled, isNewId });
      });
    } finally {
      this.generate(request);
    }
  }

  /** Whether it is a store over `hub`. */
  isOver(hub: HttpContext["hub"]): boolean {
    return this.#context.hub === hub;
  }

  /** The request's session has been stored for the first time, other than by a save. */
  created({ session }: Request): void {
    this.#context.onCreate(session);
  }

  override createSession(request: Request, document: SessionData): ReturnType<Store["createSession"]> {
    const { loaded, responses } = this.#context;
    const isFirst = !request.session && responses.of(request) !== undefined;
    const session = super.createSession(request, document);
    loaded.inflated(session, document, isFirst);
    responses.watch(request);
    return session;
  }

  /** `express-session` assigns it. The sessions that it generates are recorded as never stored. */
  get generate(): Generate {
    return (request) => {
      this.#generate?.(request);
      this.#context.loaded.generated(request.sessionID, request.session, this.#idsAreNew);
      this.#context.responses.watch(request);
    };
  }

  set generate(generate: Generate) {
    this.#generate = generate;
  }

  /** Whether the response to the session's request is ending right now: `express-session` saves and touches then. */
  #isEnding(session: object): boolean {
    const request = requestOf(session);
    return request !== undefined && this.#context.responses.isEnding(request);
  }

  #act<T>(request: object | undefined, run: () => T): T {
    const peer = request && isPeer(request) ? request : undefined;
    return this.#context.hub.actors.run({ by: "request", peer }, run);
  }

  #keyOf(sid: unknown, method: string): SessionKey {
    requireSid(sid, method);
    return this.#context.nameOf(sid);
  }

  #recordOf(sid: string, session: SessionData, method: string): LoadedSession {
    requireSid(sid, method);
    requireSession(session, method);
    return this.#context.loaded.of(sid, session);
  }

  async #clear(): Promise<void> {
    await this.#context.hub.store.clear();
    await this.#context.hub.freshness.revalidateAll();
  }

  #answer<T>(outcome: Promise<T>, callback: Callback<T> | undefined): void {
    const { hub, store, responses } = this.#context;
    const release = responses.hold();
    const answer = (error: unknown, value?: T) => {
      // outside the promise chain: an error of the callback must not look like a failed store
      process.nextTick(() => {
        if (callback) hub.callListener(() => callback(error && asGiven(error, store), value));
        else if (error) hub.report(error);
        release();
      });
    };
    outcome.then((value) => answer(null, value), answer);
  }
}

/** The request of a session object, if it has one. */
function requestOf(session: unknown): object | undefined {
  const request: unknown = Reflect.get(Object(session), "req");
  return typeof request === "object" && request !== null ? request : undefined;
}

/** Whether `session` is still the session of its request. */
function isRequestWith(request: object | undefined, session: object): request is Request {
  return request !== undefined && Reflect.get(request, "session") === session;
}

/** Calls `run`, and makes what it throws a rejection. */
function attempt<Result>(run: () => Result): Result | Promise<never> {
  try {
    return run();
  } catch (error) {
    return Promise.reject(error);
  }
}

function asSessionList(sessions: Parameters<typeof listed>[0]): SessionData[] {
  return asSessionData(listed(sessions));
}

/** The upstream types give a stored document the type of the session made from it. */
function asSessionData<T>(stored: unknown): T {
  return stored as T;
}
