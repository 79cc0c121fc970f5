import { codeIn, fieldsOf, textOf } from "./received.ts";

/** What is used of `fetch`. */
type Fetch = (
  url: string,
  init: { readonly method: "POST"; readonly credentials: "include" },
) => Promise<{ readonly status: number; json(): Promise<unknown> }>;

/** The socket whose `auth` is called: the stock client gives it as `this`. */
interface Caller {
  readonly io: { readonly engine: { readonly transport: { close(): unknown } } };
  on(event: string, listener: (error: unknown) => void): unknown;
  connect(): unknown;
}

const isCaller = (value: unknown): value is Caller => !!fieldsOf(fieldsOf(value).io).engine;

/**
 * For `io(url, { auth: ticketAuth("/session/ticket") })`: fetches a ticket for each connection, from where `sessions.routes()`
 * is mounted. Without a session the socket asks without a ticket, and is a guest or refused. If there is no ticket for another
 * reason, the client tries again after its usual pause. In place of a ticket that the server refuses (`TICKET_INVALID`) the client
 * tries another, once.
 */
export function ticketAuth(url: string, { fetch: request = fetch }: { readonly fetch?: Fetch } = {}) {
  /** Whether the last ticket of a socket was in place of one that was refused. */
  const isSecond = new WeakMap<Caller, boolean>();

  function watch(socket: Caller): void {
    if (isSecond.has(socket)) return;
    const reset = () => isSecond.set(socket, false);
    reset();
    socket.on("connect", reset);
    socket.on("connect_error", (error) => {
      if (codeIn(error) !== "TICKET_INVALID" || isSecond.get(socket)) return;
      isSecond.set(socket, true);
      socket.connect();
    });
  }

  return async function auth(this: unknown, send: (auth: object) => void): Promise<void> {
    const socket = isCaller(this) ? this : undefined;
    if (socket) watch(socket);
    const engine = socket?.io.engine;
    const ticket = await fetchTicket(url, request);
    if (engine !== socket?.io.engine) return; // late: a newer connection has its own
    if (ticket) send(ticket);
    else engine?.transport.close(); // as a loss: `engine.close()` would be what the application has called for
  };
}

/** Empty without a session; undefined if there is no ticket for another reason. */
async function fetchTicket(url: string, request: Fetch): Promise<{ ticket?: string } | undefined> {
  try {
    const response = await request(url, { method: "POST", credentials: "include" });
    if (response.status === 401) return {};
    const ticket = textOf(fieldsOf(await response.json()).ticket);
    return ticket === undefined ? undefined : { ticket };
  } catch {
    return undefined; // unreachable, or another's answer
  }
}
