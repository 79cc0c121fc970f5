import { Socket } from "socket.io";
import { SocketSessionError } from "../base/errors.ts";

/**
 * `undefined.data` in a handler ends the process and explains nothing. So `socket.session` throws that `attach` is
 * missing. The accessor is on Socket.IO's own class, from the first `liveSessions()` until the first `attach` of this
 * process; after that, servers that are not attached are the application's own business. If there are several copies of
 * socket.io, this affects only the one that the package resolves; on others `socket.session` stays undefined.
 */
let isAttached = false;

export function explainMissingAttach(): void {
  if (isAttached || "session" in Socket.prototype) return;
  Object.defineProperty(Socket.prototype, "session", {
    configurable: true,
    enumerable: false,
    get: refuse,
    /** An application may keep a value of its own there. */
    set(this: object, value: unknown) {
      const own = { value, writable: true, enumerable: true, configurable: true };
      Object.defineProperty(this, "session", own);
    },
  });
}

/** Sockets of an attached server have a `session` of their own. */
export function attachIsCalled(): void {
  const isOurs = Object.getOwnPropertyDescriptor(Socket.prototype, "session")?.get === refuse;
  if (isOurs) Reflect.deleteProperty(Socket.prototype, "session"); // else the application has put its own there
  isAttached = true;
}

function refuse(): never {
  throw new SocketSessionError(
    "INVALID_OPTION",
    "socket.session expects a server that is attached; sessions.attach(io) was never called. Call sessions.attach(io) before clients connect. An application that keeps something of its own there assigns it before it reads it.",
  );
}
