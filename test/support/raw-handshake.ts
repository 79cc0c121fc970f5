import { request } from "node:http";

export interface Answer {
  readonly status: number;
  /** The lines of `Set-Cookie`. */
  readonly cookies: readonly string[];
  /** Empty for a WebSocket. */
  readonly body: string;
  /** Closes a WebSocket. */
  close(): void;
}

/** Sends an Engine.IO handshake by hand, by either transport and in either revision of its protocol. */
export function rawHandshake(
  url: string,
  transport: "polling" | "websocket",
  headers: Record<string, string> = {},
  revision: 3 | 4 = 4,
): Promise<Answer> {
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const address = new URL(`/socket.io/?EIO=${revision}&transport=${transport}`, url);
  return new Promise((resolve, reject) => {
    const sent = request(address, {
      headers: { ...headers, ...(transport === "websocket" ? upgrade : {}) },
      agent: false,
    });
    sent.on("upgrade", ({ statusCode = 0, headers: { "set-cookie": cookies = [] } }, socket) => {
      socket.on("error", () => {}); // the server may have closed it first
      resolve({ status: statusCode, cookies, body: "", close: () => socket.destroy() });
    });
    sent.on("response", (response) => {
      const { statusCode = 0, headers: answered } = response;
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text) => {
        body += text;
      });
      response.on("end", () =>
        resolve({ status: statusCode, cookies: answered["set-cookie"] ?? [], body, close: () => {} }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}
