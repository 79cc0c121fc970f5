import { request } from "node:http";
import { connect } from "node:net";

/** Speaks Engine.IO's long-polling by hand, with whatever headers a test wants. */
export class RawPolling {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  sid = "";

  constructor(url: string, headers: Record<string, string>) {
    this.#url = url;
    this.#headers = headers;
  }

  send(
    method: "GET" | "POST" | "OPTIONS",
    body?: string,
    headers = this.#headers,
  ): Promise<{ status: number; body: string }> {
    const url = new URL("/socket.io/", this.#url);
    url.search = `EIO=4&transport=polling${this.sid ? `&sid=${this.sid}` : ""}`;
    return rawRequest(url.href, method, headers, body);
  }

  /** Opens an Engine.IO connection and joins `/`. Resolves with what the server answers to that. */
  async open(): Promise<string> {
    const { body } = await this.send("GET");
    this.sid = JSON.parse(body.slice(1)).sid;
    await this.send("POST", "40");
    return (await this.send("GET")).body;
  }

  /**
   * Begins the upgrade to WebSocket: what the server sends waits from now on, until `finish`. `received` is what comes
   * over the WebSocket after that; `closed` resolves at its end.
   */
  async probe(): Promise<{ received: string[]; closed: Promise<void>; finish(): void }> {
    const url = new URL("/socket.io/", this.#url);
    url.protocol = "ws:";
    url.search = `EIO=4&transport=websocket&sid=${this.sid}`;
    const socket = new WebSocket(url, { headers: this.#headers });
    const received: string[] = [];
    const closed = new Promise<void>((resolve) => socket.addEventListener("close", () => resolve()));
    await new Promise((resolve, reject) => {
      socket.addEventListener("error", reject);
      socket.addEventListener("open", () => socket.send("2probe"));
      socket.addEventListener("message", resolve, { once: true });
    });
    socket.addEventListener("message", ({ data }) => received.push(String(data)));
    return { received, closed, finish: () => socket.send("5") };
  }
}

/** Sends Socket.IO packets by hand, in either revision of Engine.IO's protocol, over one transport. */
export async function rawPackets(
  url: string,
  transport: string,
  revision: 3 | 4,
): Promise<(packet: string) => Promise<void>> {
  const address = new URL(`/socket.io/?EIO=${revision}&transport=${transport}`, url);
  if (transport === "polling") {
    const { body } = await rawRequest(address.href, "GET", {});
    const { sid } = JSON.parse(body.slice(body.indexOf("{"), body.indexOf("}") + 1));
    return async (packet) => {
      const framed = revision === 3 ? `${packet.length + 1}:4${packet}` : `4${packet}`;
      await rawRequest(`${address}&sid=${sid}`, "POST", {}, framed);
    };
  }
  address.protocol = "ws:";
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener("error", reject);
    socket.addEventListener("message", resolve, { once: true });
  });
  return async (packet) => socket.send(`4${packet}`);
}

export function rawRequest(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Asks for a WebSocket by hand; resolves with the first line of the answer, or what ended the connection. */
export function rawUpgrade(
  url: string,
  headers: Record<string, string>,
  query = "EIO=4&transport=websocket",
): Promise<string> {
  const { hostname, port, host } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      const lines = Object.entries({
        Host: host,
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`GET /socket.io/?${query} HTTP/1.1\r\n${lines.join("")}\r\n`);
    });
    socket.once("data", (data) => {
      resolve(data.toString().split("\r\n")[0] ?? "");
      socket.destroy();
    });
    socket.once("close", () => resolve("closed"));
    socket.once("error", (error) => resolve(error.message));
  });
}

/** Speaks Socket.IO by hand over one transport, and sees everything that comes over the wire. */
export interface RawMessages {
  /** What came in answer to requests, or over the WebSocket, as text. */
  readonly received: readonly string[];
  send(packet: string): Promise<void>;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
  close(): void;
}

/** `revision`: of Engine.IO's protocol; 3 by WebSocket only. */
export async function rawMessages(
  url: string,
  transport: string,
  cookie: string,
  revision: 3 | 4 = 4,
): Promise<RawMessages> {
  const address = new URL(`/socket.io/?EIO=${revision}&transport=${transport}`, url);
  const received: string[] = [];
  if (transport === "polling") {
    const { body } = await rawRequest(address.href, "GET", { cookie });
    const target = `${address}&sid=${JSON.parse(body.slice(1)).sid}`;
    let isClosed = false;
    const poll = async () => {
      for (;;) {
        const answer = await rawRequest(target, "GET", { cookie }).catch(() => undefined);
        if (answer?.status !== 200) return;
        received.push(answer.body);
        if (isClosed) return;
      }
    };
    return {
      received,
      closed: poll(),
      send: async (packet) => void (await rawRequest(target, "POST", { cookie }, `4${packet}`)),
      close() {
        isClosed = true;
        void rawRequest(target, "POST", { cookie }, "1").catch(() => {});
      },
    };
  }
  address.protocol = "ws:";
  const socket = new WebSocket(address, { headers: { cookie } });
  const closed = new Promise<void>((resolve) => socket.addEventListener("close", () => resolve()));
  let isOpen = false;
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("error", reject);
    socket.addEventListener("message", ({ data }) => {
      if (isOpen) received.push(String(data));
      isOpen = true;
      resolve();
    });
  });
  return { received, closed, send: async (packet) => socket.send(`4${packet}`), close: () => socket.close() };
}
