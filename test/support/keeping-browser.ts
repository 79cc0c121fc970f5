import {
  type ManagerOptions,
  NodeWebSocket,
  NodeXHR,
  type Socket,
  type SocketOptions,
} from "socket.io-client";
import { Browser } from "./browser.ts";

type Arguments = Parameters<NodeWebSocket["createSocket"]>;

/** A browser whose sockets keep the cookies that handshakes set, over both transports. */
export class KeepingBrowser extends Browser {
  override socket(namespace = "/", options: Partial<ManagerOptions & SocketOptions> = {}): Socket {
    const keep = (lines: unknown) => this.keep([lines ?? []].flat().map(String));
    class KeepingWebSocket extends NodeWebSocket {
      override createSocket(...args: Arguments) {
        const socket = super.createSocket(...args);
        socket.on("upgrade", ({ headers }: { headers: Record<string, unknown> }) =>
          keep(headers["set-cookie"]),
        );
        return socket;
      }
    }
    const names = options.transports ?? ["polling", "websocket"];
    const transports = names.map((name) => (name === "websocket" ? KeepingWebSocket : NodeXHR));
    const cookieJar = { addCookies: () => {}, parseCookies: keep };
    return super.socket(namespace, { ...options, transports, ...{ cookieJar } });
  }
}
