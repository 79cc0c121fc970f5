/** Checks the argument of `sessions.attach`, which may be anything in JavaScript. */
import { SocketSessionError } from "../base/errors.ts";
import { shown } from "../base/shown.ts";

const ownServer = "const io = new Server(httpServer), and give that `io`.";

/** Common mistakes in the place of `io`: recognised by their methods, with what to pass instead. */
const mistaken: readonly (readonly [methods: readonly string[], what: string, cure: string])[] = [
  [
    ["handle", "use", "listen"],
    "an Express application",
    "Make a server of it: const io = new Server(createServer(app)), and give that `io`.",
  ],
  [["handleUpgrade", "handleRequest"], "Engine.IO's server, `io.engine`", "Give `io` itself."],
  [["_createSocket", "use"], "a namespace", "Give `io` itself: its sockets are served in all namespaces."],
  [["listen", "setTimeout"], "an http server", `Make one of it: ${ownServer}`],
  [["then"], "a promise", "Await it first."],
];

/** Throws `INVALID_OPTION`, or `UNSUPPORTED_UPSTREAM` for a server of an older Socket.IO. */
export function requireServer(io: unknown): void {
  const has = (method: string) => typeof Reflect.get(Object(io), method) === "function";
  if (typeof io === "object" && ["bind", "path", "of"].every(has)) {
    requireRelease(io);
    return;
  }
  const [, what, cure] = mistaken.find(([methods]) => methods.every(has)) ?? [];
  const expected =
    "sessions.attach(io) expects a Socket.IO server, as `new Server(httpServer)` of socket.io makes one";
  const message = `${expected}; it was ${what ?? shown(io)}. ${cure ?? `Make one: ${ownServer}`}`;
  throw new SocketSessionError("INVALID_OPTION", message);
}

/** Older releases have these methods as well. */
function requireRelease(io: unknown): void {
  if (typeof Reflect.get(Object(Reflect.get(Object(io), "sockets")), "_createSocket") === "function") return;
  throw new SocketSessionError(
    "UNSUPPORTED_UPSTREAM",
    "sessions.attach(io) expects a server of socket.io 4.8 or later; it was one of an older release. Write npm install socket.io@4.",
  );
}
