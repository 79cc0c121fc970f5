/** Pins what rules rely on in socket.io beyond its public API, as `upstream.test.ts` does for the rest. */
import { createServer } from "node:http";
import { Server, type Socket } from "socket.io";
import { afterEach, expect, test } from "vitest";
import { until } from "../recipe/waiting.ts";
import { Browser, refused } from "../support/browser.ts";
import { listen } from "../support/listen.ts";
import { type RawMessages, rawMessages } from "../support/raw-client.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A plain Socket.IO server without this package, and a client by hand in its main namespace. */
async function plain(prepare: (io: Server) => void = () => {}) {
  const http = createServer();
  const io = new Server(http);
  prepare(io);
  const url = await listen(http);
  closing.push(() => io.close());
  return { io, url };
}

async function joined(io: Server, url: string): Promise<{ raw: RawMessages; socket: Socket }> {
  const raw = await rawMessages(url, "websocket", "");
  closing.push(() => raw.close());
  await raw.send("0");
  await until(() => io.sockets.sockets.size === 1);
  const [socket] = io.sockets.sockets.values();
  if (!socket) throw new Error("Expected a socket.");
  return { raw, socket };
}

/** An object's methods, to be replaced on the instance. */
const methodsOf = (value: unknown) => value as Record<string, (...args: unknown[]) => unknown>;

test("emits, acknowledgements and the answer to CONNECT pass socket.packet; broadcasts find sockets in namespace.sockets", async () => {
  const { io, url } = await plain((one) => {
    one.on("connection", (socket) => void socket.on("ask", (done) => done("answer")));
  });
  const { raw, socket } = await joined(io, url);
  const packets: unknown[] = [];
  methodsOf(socket).packet = (packet) => packets.push(packet);
  await raw.send('21["ask"]');
  await until(() => packets.length === 1);
  socket.emit("event");
  io.sockets.sockets.delete(socket.id);
  io.emit("broadcast");
  expect(packets).toMatchObject([{ data: ["answer"] }, { data: ["event"] }]);
  expect([...socket.rooms]).toEqual([socket.id]);
  io.sockets.sockets.set(socket.id, socket);
  io.emit("last");
  await until(() => raw.received.some((text) => text.includes("last")));
  expect(raw.received.join()).not.toMatch(/answer|event|broadcast/);
});

test("a packet to a namespace without a socket closes the connection, unless client.ondecoded is replaced on its decoder", async () => {
  const { io, url } = await plain();
  const { raw, socket } = await joined(io, url);
  const client = socket.client as unknown as {
    decoder: { listeners(event: string): unknown[] };
    ondecoded: unknown;
    nsps: Map<string, unknown>;
  };
  expect(client.decoder.listeners("decoded")).toEqual([client.ondecoded]);
  expect(client.nsps.get("/")).toBe(socket);
  socket.disconnect();
  expect(client.nsps.size).toBe(0);
  await raw.send('2["late"]');
  await raw.closed;
});

test("every socket passes namespace._doConnect after its middleware, and may be refused there by _cleanup and _error", async () => {
  const { io, url } = await plain((one) => {
    methodsOf(one.sockets)._doConnect = (socket) => {
      methodsOf(socket)._cleanup?.();
      methodsOf(socket)._error?.({ message: "no", data: { code: "NO" } });
    };
  });
  const browser = new Browser(url);
  closing.push(() => browser.close());
  expect(await refused(browser.socket())).toMatchObject({ message: "no", data: { code: "NO" } });
  expect(io.sockets.sockets.size).toBe(0);
  expect(Reflect.get(io.sockets, "_preConnectSockets").size).toBe(0);
});

test("keeps the rooms of a socket by adapter.persistSession, while it is in namespace.sockets", async () => {
  const http = createServer();
  const io = new Server(http, { connectionStateRecovery: {} });
  const url = await listen(http);
  closing.push(() => io.close());
  const { raw, socket } = await joined(io, url);
  const kept: unknown[] = [];
  methodsOf(socket.nsp.adapter).persistSession = (session) =>
    kept.push([session, io.sockets.sockets.get(String(Object(session).sid)) === socket]);
  raw.close();
  await until(() => kept.length === 1);
  expect(kept).toEqual([[expect.objectContaining({ sid: socket.id, rooms: [socket.id] }), true]]);
});
