/**
 * A client of Socket.IO over WebSocket that knows no more than it needs: it joins the main namespace, answers pings, and
 * receives texts of less than 64 KiB. A process can have ten thousand of them, which it can't have of stock clients.
 */
import { connect, type Socket } from "node:net";

/** What Engine.IO and Socket.IO write before their packets. */
const packets = { ping: "2", pong: "3", join: "40", refusal: "44", event: "42" };

/** Single frames of WebSocket, by their first byte. */
const frames = { text: 0x81, close: 0x88 };

/** Masked with zeros, of less than 126 bytes. */
function frame(first: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([first, 0x80 + text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

export class LightSocket {
  readonly #socket: Socket;
  readonly #joined = Promise.withResolvers<void>();
  #received: Buffer = Buffer.alloc(0);
  #isUpgraded = false;
  #event = Promise.withResolvers<void>();
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;

  private constructor(url: string, cookie: string) {
    const { hostname, port, host } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    this.closed = new Promise((resolve) => this.#socket.once("close", () => resolve()));
    this.#socket.on("error", (error) => this.#joined.reject(error));
    this.#socket.on("data", (data) => this.#take(data));
    this.#socket.once("close", () => this.#joined.reject(new Error("Expected to join, but was closed.")));
    const head = ["GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", `Host: ${host}`, `Cookie: ${cookie}`];
    const upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    this.#socket.write(`${[...head, ...upgrade, key].join("\r\n")}\r\n\r\n`);
  }

  /** Resolves when it has joined; rejects if it is refused. */
  static async open(url: string, cookie: string): Promise<LightSocket> {
    const one = new LightSocket(url, cookie);
    await one.#joined.promise;
    return one;
  }

  /** Resolves when it has received the next event. */
  receive(): Promise<void> {
    this.#event = Promise.withResolvers();
    return this.#event.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    if (!this.#isUpgraded) {
      const end = this.#received.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!this.#received.toString("latin1", 0, 12).endsWith("101")) {
        this.#joined.reject(new Error(`Expected to be let in, but: ${this.#received.toString()}`));
        return;
      }
      this.#isUpgraded = true;
      this.#received = this.#received.subarray(end + 4);
      this.#send(packets.join);
    }
    for (let text = this.#nextFrame(); text !== undefined; text = this.#nextFrame()) this.#packet(text);
  }

  /** Undefined until all of it is here. */
  #nextFrame(): string | undefined {
    if (this.#received.length < 2) return undefined;
    const short = this.#received.readUInt8(1);
    const begin = short === 126 ? 4 : 2;
    if (this.#received.length < begin) return undefined;
    const end = begin + (short === 126 ? this.#received.readUInt16BE(2) : short);
    if (this.#received.length < end) return undefined;
    if (this.#received.readUInt8(0) === frames.close) this.#socket.end(frame(frames.close, ""));
    const text = this.#received.toString("utf8", begin, end);
    this.#received = this.#received.subarray(end);
    return text;
  }

  #packet(text: string): void {
    if (text === packets.ping) this.#send(packets.pong);
    else if (text.startsWith(packets.join)) this.#joined.resolve();
    else if (text.startsWith(packets.refusal))
      this.#joined.reject(new Error(`Expected to join, but: ${text}`));
    else if (text.startsWith(packets.event)) this.#event.resolve();
  }

  #send(text: string): void {
    this.#socket.write(frame(frames.text, text));
  }
}
