import type { Socket as ServerSocket } from "socket.io";
import type { Socket } from "socket.io-client";
import type { Browser } from "../support/browser.ts";
import { serverSockets } from "../support/handlers.ts";
import type { Application } from "./application.ts";

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(2);
}

/** Whether the server still talks to a socket, found out by a round trip rather than by waiting for nothing. */
export type Fate = "still answers" | "gone";

export async function fateOf(socket: Socket): Promise<Fate> {
  if (!socket.connected) return "gone";
  return Promise.race([
    new Promise<Fate>((resolve) => socket.once("disconnect", () => resolve("gone"))),
    socket.emitWithAck("see").then(
      (): Fate => "still answers",
      (): Fate => "gone", // the acknowledgement was given up at a disconnection
    ),
  ]);
}

/** How an attempt to connect ends: with the code of the refusal, where there is one. */
export function entryOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("connect", () => resolve("let in"));
    socket.once("connect_error", (error: Error & { data?: { code?: string } }) =>
      resolve(`refused: ${error.data?.code ?? error.message}`),
    );
  });
}

/** The server's side of the only socket there is. */
export function onlySocket({ io }: Application): ServerSocket {
  const [socket, ...others] = serverSockets(io);
  if (!socket || others.length > 0) throw new Error("Expected exactly one socket on the server.");
  return socket;
}

export async function dataOf(browser: Browser): Promise<unknown> {
  return JSON.parse(await browser.get("/session")).data;
}

/** Another browser window with the same cookie, which keeps it whatever the first one is told. */
export function copyOf(browser: Browser, application: Application): Browser {
  const copy = application.browser();
  copy.cookie = browser.cookie;
  return copy;
}
