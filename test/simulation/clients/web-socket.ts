/** A WebSocket as a browser has it: text messages, over a connection to a node. */
import type { ClientConnection, ClientNetwork } from "./client-network.ts";
import { type Answer, answerOf } from "./http-request.ts";
import { host, type Sender, senderLines } from "./pages.ts";

export interface WebSocketEvents {
  opened(): void;
  message(text: string): void;
  /** `answer`: the node has refused it. */
  closed(answer?: Answer): void;
}

const text = 1;
const close = 8;

export class ClientWebSocket {
  readonly #connection: ClientConnection;
  readonly #events: WebSocketEvents;
  #isOpen = false;
  #isOver = false;
  #received = Buffer.alloc(0);

  constructor(network: ClientNetwork, path: string, sender: Sender, events: WebSocketEvents) {
    this.#events = events;
    this.#connection = network.connect({
      receive: (bytes) => this.#receive(bytes),
      closed: () => this.#end(this.#isOpen ? undefined : answerOf(this.#received.toString())),
    });
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: ${host}`,
      ...senderLines(sender, false),
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    this.#connection.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  send(message: string): void {
    this.#connection.write(frameOf(text, message));
  }

  /** Closes it; `closed` does not follow. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isOpen) this.#connection.write(frameOf(close, ""));
    this.#connection.close();
  }

  #receive(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    if (!this.#isOpen && !this.#opens()) return;
    for (let frame = frameAt(this.#received); frame && !this.#isOver; frame = frameAt(this.#received)) {
      this.#received = this.#received.subarray(frame.length);
      if (frame.opcode === text) this.#events.message(frame.payload);
      else if (frame.opcode === close) this.#end();
    }
  }

  #opens(): boolean {
    const head = this.#received.indexOf("\r\n\r\n");
    if (head < 0 || this.#received.toString("latin1", 9, 12) !== "101") return false;
    this.#received = this.#received.subarray(head + 4);
    this.#isOpen = true;
    this.#events.opened();
    return true;
  }

  #end(answer?: Answer): void {
    if (this.#isOver) return;
    this.close();
    this.#events.closed(answer);
  }
}

/** Masked, as frames of clients are, with zeros. */
function frameOf(opcode: number, message: string): Buffer {
  const payload = Buffer.from(message);
  const { length } = payload;
  const head = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...head, 0, 0, 0, 0]), payload]);
}

/** The frame that `bytes` begin with, if all of it is there. */
function frameAt(bytes: Buffer): { opcode: number; payload: string; length: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const isLong = second === 126;
  if (isLong && bytes.length < 4) return undefined;
  const start = isLong ? 4 : 2;
  const length = start + (isLong ? bytes.readUInt16BE(2) : second);
  if (bytes.length < length) return undefined;
  return { opcode: first & 0x0f, payload: bytes.toString("utf8", start, length), length };
}
