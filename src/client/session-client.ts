import type { SessionClient, SessionClientOptions } from "./api.ts";
import { connection } from "./connection.ts";
import { lifeTime } from "./life-time.ts";
import { onPage } from "./page-events.ts";
import type { PageSocket } from "./page-socket.ts";
import type { Told } from "./received.ts";
import { helpFor } from "./refusal.ts";
import { renewal } from "./renewal.ts";
import { type Answer, ask } from "./routes.ts";
import { sessionState } from "./session-state.ts";
import { tabs } from "./tabs.ts";

/**
 * Follows the session of `socket`, a socket of socket.io-client 4.5 or later. Call it right after `io()`: for a socket that is connected
 * already, it has to ask the server for the state. `Data` is what the server's `share` returns. Throws a `TypeError` for a
 * wrong argument.
 */
export function sessionClient<Data = unknown>(
  socket: PageSocket,
  { routes, warnMs = 60_000, name = routes ?? "" }: SessionClientOptions = {},
): SessionClient<Data> {
  const isRoutes = routes === undefined || (typeof routes === "string" && /[^/]$/.test(routes));
  if (!socket?.onAnyOutgoing || !isRoutes || !(warnMs >= 0))
    throw new TypeError(
      `Expected sessionClient(io(), { routes: "/session", warnMs: 60000 }), got ${socket}, ${routes}, ${warnMs}.`,
    );

  const shared = `socket-session:${name}`;
  const life = lifeTime(warnMs, onDue, check);
  const state = sessionState<Data>(life);
  const { snapshot } = state;
  const { onConnect, reconnect, ...link } = connection(socket, state, onTold, askWhy);
  const others = tabs(shared, onOther);
  const cookie = renewal(shared, renew, others.post);
  const leavePage = onPage(onHide, onShow, life.check);
  let cookieMs: number | undefined;
  socket.onAnyOutgoing(onActivity);
  void join();

  function onTold(told: Told): void {
    if (routes) cookieMs = told.cookieMs;
    state.told(told);
  }

  function onActivity(): void {
    void cookie.onActivity(cookieMs);
  }

  /** Empty if the state has changed before the answer came, which may be older. */
  async function askState(): Promise<Answer> {
    const before = snapshot();
    const answer = routes ? await ask(`${routes}/state`) : {};
    return before === snapshot() ? answer : {};
  }

  /** False, and without effect, if the answer is not about the session of the socket, or if there is none. */
  function take(told: Told | undefined): boolean {
    const { state, publicId } = snapshot();
    const isOurs = state === told?.state && (!publicId || publicId === told.publicId);
    if (isOurs) onTold(told);
    return isOurs;
  }

  /** If the socket was there before this client, what it got was missed. */
  async function join(): Promise<void> {
    if (!socket.connected && (socket.active || !socket.io.engine)) return; // there is nothing to be missed
    const { told, code } = await askState();
    if (snapshot().state !== "connecting") return; // by then it has got something
    if (!socket.connected) return code && !socket.active ? state.refused(code) : undefined;
    if (told) onTold(told);
    else onConnect(); // its state may be still to come
  }

  async function askWhy(): Promise<void> {
    const { code } = await askState();
    // to be without a session is not why: that answer comes by the socket
    if (code && helpFor(code) !== "login") state.refused(code);
  }

  /** The time left is in doubt, or whether the session goes on. */
  async function check(): Promise<void> {
    if (!routes && socket.active) return reconnect();
    const { told } = await askState();
    if (told?.state === "live" && !take(told)) reconnect();
  }

  /** The session is about to end, as far as this page knows: another node may have extended it. */
  async function onDue(): Promise<void> {
    const { told } = await askState();
    take(told);
    if (life.isDue()) state.emit("expiring", life.left() ?? 0);
  }

  async function renew(): Promise<boolean> {
    const before = snapshot();
    const { told } = await ask(`${routes}/renew`, "POST");
    if (before === snapshot()) take(told);
    return !!told;
  }

  /** The application has not connected the socket, or has disconnected it. */
  function isIdle(): boolean {
    return !socket.active && snapshot().state === "connecting";
  }

  function onOther(message: unknown): void {
    if (message === "in" && !isIdle()) reconnect();
    if (message === "out") link.loggedOut();
    if (typeof message === "number") cookie.learn(message);
  }

  function onHide(): void {
    others.close();
    if (socket.active) socket.io._close(); // an open one keeps the page out of the cache of some browsers
  }

  function onShow(): void {
    others.open();
    if (socket.active) reconnect();
    else if (!isIdle()) void check();
  }

  return {
    getSnapshot: snapshot,
    subscribe: (listener) => state.on("change", listener),
    on: state.on,

    get leftMs() {
      return life.left();
    },

    loggedIn() {
      cookie.set(); // by the response of the login
      others.post("in");
      reconnect();
      return state.outcome();
    },

    loggedOut() {
      others.post("out");
      link.loggedOut();
    },

    async stay() {
      if (routes) return cookie.renew();
      if (socket.connected) socket.emit("session:stay"); // any event is activity: no server needs to handle it
      return socket.connected;
    },

    close() {
      socket.offAnyOutgoing(onActivity);
      leavePage();
      link.close();
      others.close();
      state.close();
    },
  };
}
