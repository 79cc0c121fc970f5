import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type RefusalCode, refusals } from "../protocol.ts";

/** A handshake, poll or upgrade, whatever it is answered through. */
export interface Exchange {
  pass(): void;
  reject(code: RefusalCode): void;
  onGone(gone: () => void): void;
  isGone(): boolean;
}

/** A peer that resets while its upgrade waits would otherwise raise an uncaught error. */
export function ignoreReset(): void {}

function bodyOf(code: RefusalCode): string {
  return JSON.stringify({ code: 4, message: "Forbidden", context: refusals[code].meaning });
}

function statusOf(code: RefusalCode): [number, string] {
  if (code === "STORE_UNAVAILABLE") return [503, "Service Unavailable"];
  return code === "BAD_REQUEST" ? [400, "Bad Request"] : [403, "Forbidden"];
}

export function rejectRequest(response: ServerResponse, code: RefusalCode): void {
  if (!response.headersSent)
    response.writeHead(statusOf(code)[0], { "Content-Type": "application/json", Connection: "close" });
  response.end(bodyOf(code));
}

export function rejectUpgrade(socket: Duplex, code: RefusalCode): void {
  const body = bodyOf(code);
  const head = `HTTP/1.1 ${statusOf(code).join(" ")}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}
