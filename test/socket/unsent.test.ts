/** What a client that reads slowly has not been sent when its session ends: nothing of it follows a receipt. */
import { randomBytes } from "node:crypto";
import { connect, type Socket as Stream } from "node:net";
import { afterEach, expect, test } from "vitest";
import { outcomeOf } from "../live/linked-nodes.ts";
import { serverSockets } from "../support/handlers.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { RawPolling } from "../support/raw-client.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World | undefined;
afterEach(() => world?.close());

/** More than the operating system takes for a client that reads nothing. */
const much = randomBytes(15_000_000).toString("base64");

/** A client by hand that reads no more from the answer to `request` on than its first bytes. */
async function slowClient(url: string, request: string, headers: readonly string[]): Promise<Stream> {
  const { hostname, port, host } = new URL(url);
  const stream = connect(Number(port), hostname);
  stream.on("error", () => {}); // the server resets the connection
  stream.write([`GET ${request} HTTP/1.1`, `Host: ${host}`, ...headers, "", ""].join("\r\n"));
  await new Promise((resolve) => stream.once("connect", resolve));
  return stream;
}

async function overWebSocket({ url }: World, cookie: string): Promise<Stream> {
  const stream = await slowClient(url, "/socket.io/?EIO=4&transport=websocket", [
    ...["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
    ...["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", `Cookie: ${cookie}`],
  ]);
  await new Promise((resolve) => stream.once("data", resolve));
  stream.pause();
  stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, ...Buffer.from("40")])); // masked with zeros
  return stream;
}

async function overPolling({ url }: World, cookie: string, ...headers: string[]): Promise<Stream> {
  const polling = new RawPolling(url, { cookie });
  await polling.open();
  const request = `/socket.io/?EIO=4&transport=polling&sid=${polling.sid}`;
  return slowClient(url, request, [`Cookie: ${cookie}`, ...headers]);
}

const ways = {
  websocket: overWebSocket,
  polling: overPolling,
  "polling, compressed": (one: World, cookie: string) => overPolling(one, cookie, "Accept-Encoding: gzip"),
} as const;

/** How much of the server's answers comes in all: nothing, should the connection have been reset. */
async function readAll(stream: Stream): Promise<number> {
  stream.resume();
  if (!stream.closed) await new Promise((resolve) => stream.once("close", resolve));
  return stream.bytesRead;
}

async function slowVisitor(way: keyof typeof ways) {
  const clock = new ManualClock();
  world = await startWorld({ clock, io: { maxHttpBufferSize: 1e8 } });
  const { sessions, io } = world;
  const ada = await world.visitor();
  const stream = await ways[way](world, ada.cookie);
  await expect.poll(() => serverSockets(io)).toHaveLength(1);
  const [socket] = serverSockets(io);
  if (!socket) throw new Error("Expected a socket.");
  const isWaiting = () => Reflect.get(Reflect.get(socket.conn, "transport"), "writable") === true;
  await expect.poll(isWaiting).toBe(true);
  stream.pause();
  socket.emit("much", much);
  await settle();
  const end = () => outcomeOf(sessions.end({ publicId: socket.session.publicId }, { receipt: true }));
  return { clock, stream, socket, end };
}

test.each(Object.keys(ways) as (keyof typeof ways)[])(
  "is discarded before the receipt, over %s",
  async (way) => {
    const { clock, stream, end } = await slowVisitor(way);
    await clock.advance(1_000); // the feed is whole
    const receipt = end();
    await settle();
    await clock.advance(2_999);
    expect(receipt.isSettled).toBe(false);
    await clock.advance(1);
    await expect.poll(() => receipt.value).toMatchObject({ nodes: [{ sockets: 1 }], unanswered: [] });
    expect(await readAll(stream)).toBeLessThan(much.length / 2);
  },
);

test("is discarded at once if the connection was closed before the end", async () => {
  const { clock, stream, socket, end } = await slowVisitor("websocket");
  await clock.advance(1_000);
  socket.conn.close(true);
  const receipt = end();
  await expect.poll(() => receipt.value).toMatchObject({ nodes: [{ sockets: 0 }], unanswered: [] });
  expect(await readAll(stream)).toBeLessThan(much.length / 2);
});

test("is sent if the client reads on in time", async () => {
  const { clock, stream, end } = await slowVisitor("websocket");
  await clock.advance(1_000);
  const receipt = end();
  await clock.advance(2_500);
  stream.resume();
  await expect.poll(() => stream.bytesRead).toBeGreaterThan(much.length);
  await expect.poll(() => receipt.value).toMatchObject({ nodes: [{ sockets: 1 }], unanswered: [] });
  stream.destroy();
});
