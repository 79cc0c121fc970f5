import type { IncomingMessage } from "node:http";
import { SocketSessionError } from "../errors.ts";

const recipeMethods = new Set(["save", "reload", "touch", "destroy", "regenerate", "resetMaxAge"]);

/**
 * Puts a read-only `session` on a handshake's request, for code that reads `socket.request.session.name` as the
 * recipes do. Whatever would write to it throws, and says what to call instead.
 */
export function exposeSession(
  request: IncomingMessage,
  dataOf: () => Readonly<Record<string, unknown>>,
): void {
  const view = new Proxy<Record<string, unknown>>(
    {},
    {
      get: (_target, key) => {
        if (typeof key !== "string") return undefined;
        const data = dataOf();
        if (Object.hasOwn(data, key)) return data[key];
        return recipeMethods.has(key) ? () => refuse(`socket.request.session.${key}()`) : undefined;
      },
      has: (_target, key) => Object.hasOwn(dataOf(), key),
      ownKeys: () => Reflect.ownKeys(dataOf()),
      getOwnPropertyDescriptor: (_target, key) => {
        const descriptor = Reflect.getOwnPropertyDescriptor(dataOf(), key);
        return descriptor && { ...descriptor, configurable: true, writable: true };
      },
      set: (_target, key) => refuse(`socket.request.session.${String(key)} = …`),
      deleteProperty: (_target, key) => refuse(`delete socket.request.session.${String(key)}`),
      defineProperty: (_target, key) => refuse(`defining socket.request.session.${String(key)}`),
    },
  );
  Object.defineProperty(request, "session", {
    configurable: true,
    enumerable: false,
    get: () => view,
    set: () => refuse("socket.request.session = …"),
  });
}

function refuse(what: string): never {
  throw new SocketSessionError(
    "SESSION_READ_ONLY",
    `${what} does nothing lasting on a socket: request.session is a read-only view there. Write with \`await socket.session.update((s) => { … })\`, log out with \`await socket.session.end()\`, and do logins in an HTTP request.`,
  );
}
