import { io as connect, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

/** The events that a client saw on one connection attempt or connection. */
export interface Refusal extends Error {
  data?: { code?: string };
}

/** Removes a cookie as browsers do: at one that is over, with the same name, domain and path. It sends all to every path. */
class CookieJar {
  readonly #pairs = new Map<string, string>();

  get header(): string {
    return [...this.#pairs.values()].join("; ");
  }

  clear(): void {
    this.#pairs.clear();
  }

  /** `line`: the value of a Set-Cookie header. */
  set(line: string): void {
    const [pair = "", ...attributes] = line.split(/; */);
    const valueAt = (attribute: string) => {
      const found = attributes.find((one) => one.toLowerCase().startsWith(`${attribute}=`));
      return found?.slice(attribute.length + 1);
    };
    const key = [pair.split("=", 1), valueAt("domain"), valueAt("path")].join(" ");
    const isOver = Date.parse(valueAt("expires") ?? "") <= Date.now() || Number(valueAt("max-age")) <= 0;
    if (isOver) this.#pairs.delete(key);
    else this.#pairs.set(key, pair);
  }
}

/**
 * A visitor: a cookie jar shared by plain HTTP requests and stock Socket.IO clients, as in a real browser.
 */
export class Browser {
  readonly url: string;
  readonly #cookies: CookieJar;
  readonly #sockets: Set<Socket>;

  constructor(url: string, cookies = new CookieJar(), sockets = new Set<Socket>()) {
    this.url = url;
    this.#cookies = cookies;
    this.#sockets = sockets;
  }

  /** The same visitor at another node, with the same cookie jar. Closes with this one. */
  at(url: string): Browser {
    return new Browser(url, this.#cookies, this.#sockets);
  }

  /** The `Cookie` header as it would be sent now. */
  get cookie(): string {
    return this.#cookies.header;
  }

  set cookie(header: string) {
    this.#cookies.clear();
    for (const pair of header.split("; ")) if (pair) this.#cookies.set(`${pair}; Path=/`);
  }

  /** Keeps the cookies of `Set-Cookie` headers. */
  keep(lines: readonly string[]): void {
    for (const line of lines) this.#cookies.set(line);
  }

  async request(path: string, init: RequestInit = {}): Promise<{ status: number; body: string }> {
    const headers = new Headers(init.headers);
    if (this.cookie) headers.set("cookie", this.cookie);
    const response = await fetch(new URL(path, this.url), { redirect: "manual", ...init, headers });
    this.keep(response.headers.getSetCookie());
    return { status: response.status, body: await response.text() }; // to the end: the save comes before it
  }

  async get(path: string): Promise<string> {
    return (await this.request(path)).body;
  }

  async post(path: string, body?: unknown): Promise<string> {
    const headers = { "content-type": "application/json" };
    return (await this.request(path, { method: "POST", headers, body: JSON.stringify(body ?? {}) })).body;
  }

  /** A stock client; it sends whatever cookie the jar holds at each request. Not connected yet when this returns. */
  socket(namespace = "/", options: Partial<ManagerOptions & SocketOptions> = {}): Socket {
    const jar = this;
    const extraHeaders = {
      get cookie() {
        return jar.cookie;
      },
    };
    const socket = connect(new URL(namespace, this.url).href, {
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 50,
      extraHeaders,
      ...options,
    });
    this.#sockets.add(socket);
    return socket;
  }

  /** A stock client that is connected. */
  async connect(namespace = "/", options: Partial<ManagerOptions & SocketOptions> = {}): Promise<Socket> {
    const socket = this.socket(namespace, options);
    await connected(socket);
    return socket;
  }

  close(): void {
    for (const socket of this.#sockets) {
      // The whole connection: one namespace of several that is left would have it reconnect for ever.
      socket.io.reconnection(false);
      socket.disconnect();
      socket.io.engine?.close();
    }
  }
}

/** Resolves when `socket` is connected; rejects with the refusal of the server. */
export function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.connected) return resolve();
    socket.once("connect", () => resolve());
    socket.once("connect_error", reject);
  });
}

/** Resolves with the server's refusal. */
export function refused(socket: Socket): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    socket.once("connect_error", (error) => resolve(error as Refusal));
    socket.once("connect", () => reject(new Error("the socket was let in")));
  });
}

/** Resolves with the reason at the next disconnection. */
export function disconnected(socket: Socket): Promise<string> {
  return new Promise((resolve) => socket.once("disconnect", (reason) => resolve(reason)));
}
