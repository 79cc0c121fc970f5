import type { IncomingMessage } from "node:http";
import { inspect } from "node:util";
import { SocketSessionError } from "../base/errors.ts";
import { shownMember } from "../base/shown.ts";

type Data = Readonly<Record<string, unknown>>;

const write =
  "Write with `await socket.session.update((s) => { … })`, log out with `await socket.session.end()`, and do logins in an HTTP request.";
const noId =
  "A session's id is a secret that no socket has: name rooms, logs and messages by `socket.session.publicId`.";
const noTouch = "Leave it out: each event of the client extends the session.";

/** The methods that recipes call on `socket.request.session`, and what to call here instead. */
const cureByMethod: ReadonlyMap<string, string> = new Map([
  ["save", "`await socket.session.update((s) => { … })` changes the session and saves it."],
  [
    "reload",
    "`socket.session.data` is up to date; `await socket.session.reload()` reads the store, `update` changes it.",
  ],
  ["touch", noTouch],
  ["resetMaxAge", noTouch],
  ["destroy", "Log out with `await socket.session.end()`."],
  ["regenerate", "Only a response can set the new cookie: do logins in an HTTP request."],
]);

/** The properties that they read there, and what to read here instead. */
const cureByProperty: ReadonlyMap<string, string> = new Map([
  ["id", noId],
  ["cookie", "`socket.session.expiresAt` says when the session ends."],
]);

/** How many reads of a request's session are looked at: the first are the middlewares'. */
const watchedReads = 10;

/** A request as its gateway knows it. */
export interface SeenRequest<Handshake> {
  /** What has proven its session, if anything has. Until then, application code sees none. */
  proven?: { readonly data: Data };
  /** Until it has become a connection. */
  handshake?: Handshake | undefined;
}

interface Seen<Handshake> extends SeenRequest<Handshake> {
  view?: object;
  /** How often the view was asked for. */
  reads: number;
}

/**
 * Puts a read-only `session` on Engine.IO's requests, for code that reads `socket.request.session.name` as the recipes do.
 * Members that are missing here throw and name the replacement: `undefined` would become the name of a room that all share.
 * `express-session` skips a request that has a session, so it neither loads, touches nor creates one; `onExpressSession` is
 * called when it is given such a request.
 */
export class SeenRequests<Handshake> {
  /**
   * A property of each request. The getter may be called on a proxy of the request, or on an object that inherits from it: both
   * have the property. It is a function, as who inspects a request with all that it hides must not find a session's id.
   */
  readonly #key = Symbol("seen");
  /** Shared by all requests, which live as long as their connections. */
  readonly #properties: PropertyDescriptorMap;

  constructor(onExpressSession: () => void) {
    const key = this.#key;
    this.#properties = {
      session: {
        configurable: true,
        get: function read(this: object) {
          const seen: Seen<Handshake> = Reflect.get(this, key)();
          seen.view ??= viewOf(() => seen.proven?.data ?? {});
          if (seen.reads++ < watchedReads && isExpressSession(read)) onExpressSession();
          return seen.view;
        },
        set: () => refuse("socket.request.session = …", write),
      },
      ...withoutSession("socket.request"),
    };
  }

  /** One that has a session when it is first seen, from a middleware of the application, goes on using that. */
  of(request: IncomingMessage): SeenRequest<Handshake> {
    const known: (() => Seen<Handshake>) | undefined = Reflect.get(request, this.#key);
    if (known) return known();
    if (!Reflect.get(request, "session")) Object.defineProperties(request, this.#properties);
    const seen: Seen<Handshake> = { reads: 0 };
    Object.defineProperty(request, this.#key, { value: () => seen });
    return seen;
  }
}

const handshakeProperties = withoutSession("socket.handshake");

export function hideFromHandshake(handshake: object): void {
  Object.defineProperties(handshake, handshakeProperties);
}

/** `express-session` and others leave properties on requests; reading one throws until it has been set. */
function withoutSession(bearer: string): PropertyDescriptorMap {
  const cures = {
    sessionID: noId,
    sessionStore:
      "`socket.session.reload()` reads the store, `update` writes to it, and `end` removes the session.",
  };
  const hidden = (key: string, cure: string): PropertyDescriptor => ({
    configurable: true,
    get: () => refuse(`${bearer}.${key}`, cure),
    set(this: object, value: unknown) {
      Object.defineProperty(this, key, { value, writable: true, configurable: true });
    },
  });
  return Object.fromEntries(Object.entries(cures).map(([key, cure]) => [key, hidden(key, cure)]));
}

function viewOf(dataOf: () => Data): object {
  const target = Object.defineProperty({}, inspect.custom, { configurable: true, value: dataOf });
  const place = "socket.request.session";
  return new Proxy<Record<string, unknown>>(target, {
    get: (target, key) => {
      if (typeof key !== "string") return undefined;
      const data = dataOf();
      if (Object.hasOwn(data, key)) return data[key];
      const cure = cureByProperty.get(key);
      if (cure) refuse(`${place}.${key}`, cure);
      const cureOfCall = cureByMethod.get(key);
      if (cureOfCall) return () => refuse(`${place}.${key}()`, cureOfCall);
      return Reflect.get(target, key); // inherited members, such as toString
    },
    has: (target, key) => Object.hasOwn(dataOf(), key) || (typeof key === "string" && key in target),
    ownKeys: () => Object.keys(dataOf()),
    getOwnPropertyDescriptor: (_target, key) => {
      const data = dataOf();
      if (typeof key !== "string" || !Object.hasOwn(data, key)) return undefined;
      return { value: data[key], enumerable: true, configurable: true, writable: true };
    },
    set: (_target, key) => refuse(`${place}${shownMember(String(key))} = …`, write),
    deleteProperty: (_target, key) => refuse(`delete ${place}${shownMember(String(key))}`, write),
    // a frozen target would have to hold the data itself
    preventExtensions: () => false,
    setPrototypeOf: () => false,
    defineProperty: (_target, key) => refuse(`defining ${place}${shownMember(String(key))}`, write),
  });
}

/** Whether `express-session`'s middleware called `reader`, by its file name; in a bundle it is not recognised. */
function isExpressSession(reader: () => unknown): boolean {
  const at: { stack?: unknown } = {};
  Error.captureStackTrace(at, reader);
  const caller = String(at.stack).split("\n")[1] ?? "";
  return /[\\/]express-session[\\/]/.test(caller);
}

function refuse(what: string, cure: string): never {
  throw new SocketSessionError(
    "SESSION_READ_ONLY",
    `${what} can't be used: on a socket, request.session is a read-only view of the session's data. ${cure}`,
  );
}
