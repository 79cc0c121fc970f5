import { endEvent, forbiddenEvent, stateEvent } from "../protocol.ts";
import type { PageSocket } from "./page-socket.ts";
import { fieldsOf, isForbidden, type Told, textOf, toldIn } from "./received.ts";
import { codeOf, helpFor } from "./refusal.ts";
import type { SessionState } from "./session-state.ts";

/**
 * How long a connected socket waits for its state: a client that polls may get it a round trip later, and a server that shares nothing
 * does not send it. Also how long after a new id the browser may still send the old cookie.
 */
const patienceMs = 1_000;

/**
 * The meaning of the socket's events for the state of the session. `onTold`: the server has said what state it is in. `onFailure`: an
 * attempt to connect has failed, the first since the last connection, and the page can't see why.
 */
export function connection<Data>(
  socket: PageSocket,
  state: SessionState<Data>,
  onTold: (told: Told) => void,
  onFailure: () => void,
) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The session has got a new id. The first attempt may be faster than the response that brings the new cookie. */
  let isReplaced = false;
  let hasFailed = false;
  /** What the disconnect that the server has announced will mean. */
  let announced: (() => void) | undefined;
  let isClosed = false;

  function wait(then: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(then, patienceMs);
  }

  /** Connects with the cookie of now, whatever the state. */
  function reconnect(): void {
    if (isClosed) return; // an answer or timer that comes too late
    clearTimeout(timer);
    isReplaced = hasFailed = false;
    socket.disconnect();
    socket.io._close(); // other namespaces keep it open, with the cookie of then; they come along
    state.become({ state: "connecting" });
    socket.connect();
  }

  /** Whether there will be a second attempt after a new id. */
  function triesAgain(): boolean {
    if (isReplaced) wait(reconnect);
    return isReplaced;
  }

  function onConnect(): void {
    // the stock client says so also of a connection that a message which waited for it has closed
    if (socket.connected) wait(() => state.become({ state: "live" }));
  }

  function onState(message: unknown): void {
    const told = toldIn(message);
    if (!told) return;
    clearTimeout(timer);
    if (told.state === "guest" && triesAgain()) return;
    isReplaced = false;
    onTold(told);
  }

  function onDisconnect(reason?: unknown): void {
    clearTimeout(timer);
    hasFailed = false;
    const apply = announced;
    announced = undefined; // a listener may connect the socket again
    if (apply) apply();
    else if (reason === "io server disconnect") state.become({ state: "ended" });
    else if (socket.active && reason !== "forced close") state.lose();
    else state.become({ state: "connecting" });
  }

  function onConnectError(error: unknown): void {
    const code = codeOf(error);
    if (!socket.active) queueMicrotask(() => onRefusal(code, error));
    else if (code) state.refused(code);
    else if (!hasFailed) {
      hasFailed = true;
      state.lose();
      onFailure();
    }
  }

  function onRefusal(code: string | undefined, error: unknown): void {
    if (socket.active) return; // another listener has connected it again, such as with another ticket
    if (helpFor(code) !== "login" || !triesAgain()) state.refused(code, textOf(fieldsOf(error).message));
  }

  function onEnd(message: unknown): void {
    const end = fieldsOf(message);
    const reason = textOf(end.reason);
    if (reason === "replaced") {
      reconnect();
      isReplaced = true;
    } else announced = () => state.become({ state: "ended", reason, message: textOf(end.message) });
  }

  function onForbidden(message: unknown): void {
    if (!isForbidden(message)) return;
    if (!message.room) announced = () => state.refused(message.code);
    state.emit("forbidden", message);
  }

  const handlers = Object.entries({
    connect: onConnect,
    disconnect: onDisconnect,
    connect_error: onConnectError,
    [stateEvent]: onState,
    [endEvent]: onEnd,
    [forbiddenEvent]: onForbidden,
  });
  for (const [event, handler] of handlers) socket.on(event, handler);

  return {
    onConnect,
    reconnect,

    loggedOut(): void {
      if (!/live|lost/.test(state.snapshot().state)) return;
      onEnd({ reason: "destroyed" });
      socket.disconnect();
      if (announced) onDisconnect(); // there was no connection
    },

    close(): void {
      for (const [event, handler] of handlers) socket.off(event, handler);
      clearTimeout(timer);
      isClosed = true;
    },
  };
}
