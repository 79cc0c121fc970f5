/** HTTP as a client uses it: one request on a connection of its own, which closes after the answer. */
import { connectionError } from "../world/connection.ts";
import type { ClientConnection, ClientNetwork } from "./client-network.ts";
import { host, type Sender, senderLines } from "./pages.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly sender: Sender;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

const headEnd = "\r\n\r\n";

export class SentRequest {
  /** Rejects when the connection breaks before all of the answer is there, or the client aborts. */
  readonly answer: Promise<Answer>;
  readonly #connection: ClientConnection;
  #fail: (error: Error) => void = () => {};

  /** `onHead`: called as the head of the answer is there, before the rest. */
  constructor(network: ClientNetwork, request: HttpRequest, onHead: (head: string) => void = () => {}) {
    let text = "";
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.answer = promise;
    this.#fail = reject;
    this.#connection = network.connect({
      receive: (bytes) => {
        const hadHead = text.includes(headEnd);
        text += bytes.toString();
        if (!hadHead && text.includes(headEnd)) onHead(text.slice(0, text.indexOf(headEnd)));
      },
      closed: (error) => {
        const answer = error ? undefined : answerOf(text);
        if (answer) resolve(answer);
        else reject(error ?? connectionError("EPIPE"));
      },
    });
    this.#connection.write(textOf(request));
  }

  /** The client goes away, or gives it up. */
  abort(code: "ECONNABORTED" | "ETIMEDOUT"): void {
    this.#connection.close();
    this.#fail(connectionError(code));
  }
}

/** Undefined if it is not whole. */
export function answerOf(text: string): Answer | undefined {
  const end = text.indexOf(headEnd);
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const body = text.slice(end + headEnd.length);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined && Buffer.byteLength(body) < Number(length)) return undefined;
  return { status: Number(head.slice(9, 12)), head, body };
}

function textOf({ method, path, sender, body }: HttpRequest): string {
  const isGet = method === "GET";
  const lines = [`${method} ${path} HTTP/1.0`, `Host: ${host}`, ...senderLines(sender, isGet)];
  if (!isGet) {
    lines.push("Content-Type: text/plain;charset=UTF-8");
    lines.push(`Content-Length: ${Buffer.byteLength(body ?? "")}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}
