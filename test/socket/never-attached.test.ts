/**
 * `socket.session` on a server, while `sessions.attach(io)` was never called in this process: says what is missing. One file
 * of its own, and in this order, as the first attach of a process ends it.
 */
import { createServer } from "node:http";
import { inspect } from "node:util";
import { Server, Socket } from "socket.io";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Browser } from "../support/browser.ts";
import { listen } from "../support/listen.ts";
import { secret } from "../support/world.ts";

vi.resetModules(); // a process of its own, as to the first attach: other files may have had one in this one
const { liveSessions } = await import("socket-session");

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const open = (options: { readonly guests?: "allow" } = {}) => {
  const sessions = liveSessions({ store: memoryStore(), secret, ...options });
  closing.push(() => sessions.close());
  return sessions;
};

/** A socket of the server's side, on `io` as it is. */
async function socketOf(io: Server, http: ReturnType<typeof createServer>): Promise<Socket> {
  const browser = new Browser(await listen(http));
  closing.push(
    () => browser.close(),
    () => io.close(),
  );
  const born = new Promise<Socket>((resolve) => io.on("connection", resolve));
  await browser.connect();
  return born;
}

const plain = () => {
  const http = createServer();
  return socketOf(new Server(http), http);
};

const own = (socket: Socket) => Object.getOwnPropertyDescriptor(socket, "session");

describe("before anything is attached", () => {
  test("without liveSessions() Socket.IO's sockets are unchanged", async () => {
    expect("session" in Socket.prototype).toBe(false);
    expect((await plain()).session).toBeUndefined();
  });

  test("reading socket.session throws the missing call", async () => {
    open();
    const socket = await plain();
    expect(() => socket.session.data).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message:
          "socket.session expects a server that is attached; sessions.attach(io) was never called. Call sessions.attach(io) before clients connect. An application that keeps something of its own there assigns it before it reads it.",
      }),
    );
  });

  test("code that inspects a socket without reading it sees nothing new", async () => {
    const socket = await plain();
    expect(inspect(socket)).not.toContain("session:");
    const keys: string[] = [];
    for (const key in socket) keys.push(key);
    expect(keys).not.toContain("session");
    expect(own(socket)).toBeUndefined();
    expect({ ...socket }).not.toHaveProperty("session");
  });

  test("an application can set its own session there, as an ordinary property", async () => {
    const socket = await plain();
    Object.assign(socket, { session: { name: "ada" } });
    expect(own(socket)).toEqual({
      value: { name: "ada" },
      writable: true,
      enumerable: true,
      configurable: true,
    });
    Object.assign(socket, { session: "another" });
    expect(socket.session).toBe("another");
  });
});

describe("from the first attach on", () => {
  test("an attached server has sessions, and another has none", async () => {
    const http = createServer();
    const io = new Server(http);
    const sessions = open({ guests: "allow" });
    sessions.attach(io);
    expect((await socketOf(io, http)).session.state).toBe("guest");
    expect("session" in Socket.prototype).toBe(false);
    open();
    expect((await plain()).session).toBeUndefined();
    expect("session" in Socket.prototype).toBe(false);
  });

  test("a value that the application has set there stays", async () => {
    vi.resetModules(); // a process of its own, as to the first attach
    const fresh = await import("socket-session");
    const sessions = fresh.liveSessions({ store: memoryStore(), secret });
    closing.push(() => sessions.close());
    expect("session" in Socket.prototype).toBe(true);
    const theirs = { configurable: true, get: () => "theirs" };
    Object.defineProperty(Socket.prototype, "session", theirs);
    closing.push(() => Reflect.deleteProperty(Socket.prototype, "session"));
    sessions.attach(new Server());
    expect(Object.getOwnPropertyDescriptor(Socket.prototype, "session")?.get).toBe(theirs.get);
  });
});
