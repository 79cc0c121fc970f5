import type { IncomingHttpHeaders } from "node:http";
import type { Request } from "express";
import type { Socket } from "socket.io";

/** The visitor's own address, of a request or a socket. */
export interface ClientAddress {
  ofRequest(request: Request): string;
  ofSocket(socket: Pick<Socket, "handshake">): string;
}

/** `proxy`: whether the `X-Forwarded-For` header is trusted. */
export function clientAddress(proxy: boolean): ClientAddress {
  const pick = (address: string, headers: IncomingHttpHeaders) =>
    (proxy && lastOf(headers["x-forwarded-for"])) || address;
  return {
    ofRequest: ({ socket, headers }) => pick(socket.remoteAddress ?? "", headers),
    ofSocket: ({ handshake: { address, headers } }) => pick(address, headers),
  };
}

/** The last address in the list is what the proxy itself has seen; clients can forge those before it. */
function lastOf(forwarded: string | string[] | undefined): string | undefined {
  return String(forwarded ?? "")
    .split(",")
    .at(-1)
    ?.trim();
}
