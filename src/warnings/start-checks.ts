import cluster from "node:cluster";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isOlder, type Version } from "../base/versions.ts";
import { keepsTickets } from "../live/guarded-store.ts";
import type { ResolvedOptions } from "../options/options.ts";
import { shortSecret } from "../options/secrets.ts";

/** A fault in the set-up, with its cure. Given once at the start, as a process warning. */
export interface StartWarning {
  readonly code: string;
  readonly message: string;
}

const engineUseWarning: StartWarning = {
  code: "SOCKET_SESSION_ENGINE_USE",
  message:
    "io.engine.use(sessions.express()) does nothing: sessions.attach(io) serves the sockets. Remove it, and use socket.session.",
};

const unattachedWarning: StartWarning = {
  code: engineUseWarning.code,
  message:
    "io.engine.use(sessions.express()) does nothing, and sessions.attach(io) was never called: sockets are let in unchecked, and have no session. Write sessions.attach(io) in its place, and use socket.session.",
};

const engineSessionWarning: StartWarning = {
  code: "SOCKET_SESSION_ENGINE_SESSION",
  message:
    "express-session was given a request of a socket, by io.engine.use(session(…)) or a middleware, and does nothing there: sessions.attach(io) has put the session on it. Remove it, and use socket.session. Keep what a session of another cookie or store holds in this one, or read that one in HTTP requests.",
};

const insecureCookieWarning: StartWarning = {
  code: "SOCKET_SESSION_INSECURE_COOKIE",
  message:
    'A session was stored for a request, or made for a socket\'s handshake, over plain HTTP, as far as this process can tell, and its cookie is not sent: `cookie.secure` is true. The visitor comes back without a session. Write cookie: { secure: "auto" }. If a proxy ends TLS, have it send X-Forwarded-Proto, and set `proxy: true` or app.set("trust proxy", 1).',
};

let hasWarnedOfSecret = false;

/** Warns of a short secret once for the process, as tests may create many LiveSessions. */
export function secretWarnings({ secrets }: ResolvedOptions): StartWarning[] {
  const message = hasWarnedOfSecret ? undefined : shortSecret(secrets);
  if (message === undefined) return [];
  hasWarnedOfSecret = true;
  return [{ code: "SOCKET_SESSION_SHORT_SECRET", message }];
}

/** Warnings of faults that show only later, each given once by these sessions. */
export function lateWarnings() {
  return {
    engineUse: once((isAttached: boolean) => (isAttached ? engineUseWarning : unattachedWarning)),
    engineSession: once(() => engineSessionWarning),
    noMiddleware: warnOfMiddleware,
    insecureCookie: once(() => insecureCookieWarning),
  };
}

function once<A extends unknown[]>(warningOf: (...args: A) => StartWarning): (...args: A) => void {
  let isDone = false;
  return (...args) => {
    if (!isDone) warn([warningOf(...args)]);
    isDone = true;
  };
}

/** Once for the process: tests may create many LiveSessions, and sign visitors in without a request. */
const warnOfMiddleware = once((refusal: string) => ({
  code: "SOCKET_SESSION_NO_MIDDLEWARE",
  message: `A client was refused (${refusal}), and sessions.express() was never called here: no session that its requests make is one of these. Write app.use(sessions.express()) before the routes, in the place of app.use(session({ … })). If another process makes the sessions, nothing is missing.`,
}));

export function warn(warnings: readonly StartWarning[]): void {
  for (const { code, message } of warnings)
    process.emitWarning(message, { type: "SocketSessionWarning", code });
}

const oldestEngine: Version = [6, 6, 12];

export function storeWarnings({ store }: ResolvedOptions): StartWarning[] {
  const warnings: StartWarning[] = [];
  if (store.name === "memory" && cluster.isWorker) {
    const message =
      "memoryStore() keeps sessions in this worker alone, and other workers don't see them. Use sqliteStore({ path }) or a database.";
    warnings.push({ code: "SOCKET_SESSION_MEMORY_WORKERS", message });
  }
  if (limitsOfPromises(store).length > 0) {
    const message = `Over the ${store.name} store, socket-session cannot promise all it does elsewhere: ${limitsOf(store).join("; ")}. The stores of this package, such as redisStore() and postgresStore(), can.`;
    warnings.push({ code: "SOCKET_SESSION_LIMITED_STORE", message });
  }
  return warnings;
}

/** What this store can't do, in words. An application that needs no tickets is not warned of their absence alone. */
export function limitsOf(store: ResolvedOptions["store"]): string[] {
  const limits = limitsOfPromises(store);
  if (!keepsTickets(store))
    limits.push("it keeps no tickets, so a client that does not send the session's cookie can't connect");
  return limits;
}

function limitsOfPromises(store: ResolvedOptions["store"]): string[] {
  const limits: string[] = [];
  if (!store.atomic)
    limits.push("writes of other processes to the same session may be lost, and may revive it after its end");
  if (!store.changes)
    limits.push(
      "what other processes change is seen by sockets within `revalidateIntervalMs` only, and a login there looks like a logout",
    );
  if (store.feed?.complete === false)
    limits.push("the feed does not report every write; sockets see the others within `revalidateIntervalMs`");
  return limits;
}

export function socketWarnings({ shared }: ResolvedOptions, socketPath: string): StartWarning[] {
  const warnings: StartWarning[] = [];
  const { path, sameSite, secure } = typeof shared.cookie === "object" ? shared.cookie : {};
  const covered =
    path === undefined || path === "/" || `${socketPath}/`.startsWith(path.endsWith("/") ? path : `${path}/`);
  if (!covered) {
    const message = `\`cookie.path\` is ${JSON.stringify(path)}, so browsers don't send the session cookie to ${socketPath}/ and every socket will be refused. Set cookie.path to "/", or Socket.IO's path below it.`;
    warnings.push({ code: "SOCKET_SESSION_COOKIE_PATH", message });
  }
  if (sameSite === "none" && !secure) {
    const message =
      'Browsers drop the session cookie: `cookie.sameSite` is "none", and `cookie.secure` is not true. Write cookie: { sameSite: "none", secure: true }, and serve the page by https. For pages of one site, "lax" does.';
    warnings.push({ code: "SOCKET_SESSION_COOKIE_SAME_SITE", message });
  }
  const version = engineVersion();
  if (version && isOlder(version, oldestEngine)) {
    const message = `engine.io ${version} can end the process on a failed request; 6.6.12 or later does not. Update socket.io.`;
    warnings.push({ code: "SOCKET_SESSION_OLD_ENGINE", message });
  }
  return warnings;
}

/** The engine.io that the application's socket.io uses; undefined if a bundler hides it. */
function engineVersion(): string | undefined {
  // `import.meta` can't be used: the published code is CommonJS. These sources, run as ES modules, have no __filename.
  if (typeof __filename === "undefined") return undefined;
  try {
    const socketIo = createRequire(__filename).resolve("socket.io");
    const main = createRequire(socketIo).resolve("engine.io");
    const { version } = JSON.parse(readFileSync(join(dirname(main), "..", "package.json"), "utf8"));
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined; // the check is a courtesy
  }
}
