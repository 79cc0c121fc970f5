/**
 * The part of `upstream.ts` that knows what of a connection still waits in this process, as the client reads slowly, or as
 * it is being compressed. Engine.IO counts a transport as closed before that has left.
 *
 * ```ts
 * whenSent(connection, () => released()); // at once, if nothing waits
 * cutUnsent(connection);                  // discards the rest: the client gets no more of it
 * ```
 */
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { EngineConnection } from "./upstream.ts";

export type PollResponse = ServerResponse | Http2ServerResponse;

interface Unsent {
  /** Calls `then` once, when some of it has left, or never will. */
  next(then: () => void): void;
  cut(): void;
}

/** The responses to polls of each connection that are not finished: a client may send the next poll before it has read one. */
const responses = new WeakMap<EngineConnection, Set<Unsent>>();

/** A poll of the connection is about to be answered by `response`. */
export function answeredBy(connection: EngineConnection, response: PollResponse): void {
  const stream = "stream" in response ? response.stream : response;
  const unsent: Unsent = {
    next: (then) => void stream.once("close", then),
    cut: () => void stream.destroy(),
  };
  const open = responses.get(connection) ?? new Set();
  responses.set(connection, open.add(unsent));
  stream.once("close", () => open.delete(unsent)); // it has left, or the client has
}

/** Calls `then` when nothing of the connection, which is closed, waits in this process. */
export function whenSent(connection: EngineConnection, then: () => void): void {
  const [first] = unsentOf(connection);
  if (first) first.next(() => whenSent(connection, then));
  else then();
}

export function cutUnsent(connection: EngineConnection): void {
  for (const unsent of unsentOf(connection)) unsent.cut();
}

function unsentOf(connection: EngineConnection): Unsent[] {
  return [...(responses.get(connection) ?? []), ...overWebSocket(connection)];
}

function overWebSocket({ transport }: EngineConnection): Unsent[] {
  if (transport.name !== "websocket" || transport.writable || transport.readyState === "closed") return [];
  return [
    {
      next(then) {
        const once = () => {
          transport.removeListener("ready", once);
          transport.removeListener("close", once);
          then();
        };
        transport.once("ready", once);
        transport.once("close", once);
      },
      cut: () => transport.socket?.terminate(),
    },
  ];
}
