/** Applications and instrumentation that wrap a connection's `write`, before its client has proven a session and after. */
import type { Socket as ClientSocket } from "socket.io-client";
import { afterEach, describe, expect, test } from "vitest";
import { connected, disconnected } from "../support/browser.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

interface Writing {
  write(...args: unknown[]): unknown;
}

/** What the wrappers have passed on. */
const seen: unknown[] = [];

function wrap(connection: Writing): void {
  const { write } = connection;
  connection.write = function (this: Writing, ...args) {
    seen.push(args[0]);
    return write.apply(this, args);
  };
}

async function start(options: WorldOptions = {}): Promise<void> {
  seen.length = 0;
  world = await startWorld({
    routes: (app, sessions) => app.use("/session", sessions.routes()),
    ...options,
  });
}

async function ticket(): Promise<string> {
  return JSON.parse(await (await world.visitor()).post("/session/ticket")).ticket;
}

async function receives(client: ClientSocket): Promise<void> {
  const received = new Promise((resolve) => client.once("news", resolve));
  world.io.emit("news", 1);
  expect(await received).toBe(1);
}

describe.each([{ transports: ["polling"] }, { transports: ["websocket"] }])(
  "by $transports",
  ({ transports }) => {
    test.each([
      ["a cookie", async () => (await world.visitor()).socket("/", { transports })],
      ["a ticket", async () => world.browser().socket("/", { transports, auth: { ticket: await ticket() } })],
    ])(
      "a listener of the engine's `connection` sees what is sent to a client with %s",
      async (_name, client) => {
        await start();
        world.io.engine.on("connection", wrap);
        const socket = await client();
        await connected(socket);
        await receives(socket);
        expect(seen).toContain('2["news",1]');
      },
    );

    test("and to a guest whose session was made at the handshake", async () => {
      await start({ guests: "create" });
      world.io.engine.on("connection", wrap);
      await receives(await world.browser().connect("/", { transports }));
      expect(seen).toContain('2["news",1]');
    });

    test("a handler of an exempt namespace sees what is sent once a ticket has proven a session, and nothing after its end", async () => {
      await start({
        attach: { exempt: ["/public"] },
        sockets: (io) => io.of("/public").on("connection", ({ conn }) => wrap(conn as unknown as Writing)),
      });
      const open = await world.browser().connect("/public", { transports, reconnection: false });
      const client = open.io.socket("/", { auth: { ticket: await ticket() } });
      await connected(client);
      await receives(client);
      expect(seen).toContain('2["news",1]');
      const gone = disconnected(client);
      const [socket] = world.io.sockets.sockets.values();
      if (!socket) throw new Error("Expected the socket of the client.");
      await socket.session.end();
      (socket.conn as unknown as Writing).write('2["late",1]');
      await gone;
      expect(seen).not.toContain('2["late",1]');
    });

    test("an object that inherits from a connection writes", async () => {
      await start();
      const client = await (await world.visitor()).connect("/", { transports });
      const [socket] = world.io.sockets.sockets.values();
      const received = new Promise((resolve) => client.once("news", resolve));
      Object.create(socket?.conn ?? null).write('2["news",1]');
      expect(await received).toBe(1);
    });
  },
);

test("what guards a socket is not copied with its properties, nor what guards its connection", async () => {
  await start();
  const client = (await world.visitor()).socket();
  await connected(client);
  const [socket] = await world.io.fetchSockets();
  const own = world.io.sockets.sockets.get(String(socket?.id));
  expect(Object.getOwnPropertySymbols({ ...own }).map(String)).not.toContain("Symbol(socket-session)");
  expect(Object.getOwnPropertySymbols({ ...own?.conn }).map(String)).not.toContain("Symbol(socket-session)");
});
