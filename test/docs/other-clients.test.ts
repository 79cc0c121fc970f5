/** The clients of the guide that are no browser, before a real application. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Server, Socket as ServerSocket } from "socket.io";
import type { Socket } from "socket.io-client";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test, vi } from "vitest";
import { logInAndConnect } from "../../docs/guide/examples/node-client.ts";
import { logInAndConnectByTicket } from "../../docs/guide/examples/ticket-client.ts";
import { withService } from "../setup/services.ts";
import { connected, disconnected, refused } from "../support/browser.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";
import { closeAfterEach } from "./close-after-each.ts";
import { documentAt, root } from "./markdown.ts";
import { documented, replaceAll } from "./proxy.ts";
import { PythonProgram } from "./python.ts";

const guide = "docs/guide/other-clients.md";

const opened = closeAfterEach();

/** An application with the event that the clients send; `rename` waits until it has come. */
async function start(options: WorldOptions = {}): Promise<{ world: World; rename: Promise<ServerSocket> }> {
  const { promise, resolve } = Promise.withResolvers<ServerSocket>();
  const onConnection = (socket: ServerSocket) =>
    socket.on("rename", async (name, done) => {
      await socket.session.update((s) => {
        s.name = String(name);
      });
      done(socket.session.data.name);
      resolve(socket);
    });
  const sockets = (io: Server) => void io.on("connection", onConnection);
  const world = opened(await startWorld({ sockets, ...options }));
  return { world, rename: promise };
}

test.each(["node-client.ts", "ticket-client.ts"])("%s is in the guide as it is", (file) => {
  const text = readFileSync(join(root, "docs/guide/examples", file), "utf8").trimEnd();
  expect(documentAt(guide).blocks.map(({ code }) => code)).toContain(text);
});

describe("the client in Node", () => {
  async function client({ url }: World): Promise<Socket> {
    return opened(await logInAndConnect(url, "ada"));
  }

  test("has the session of its login, and learns of the logout", async () => {
    const { world, rename } = await start();
    const socket = await client(world);
    expect(await socket.emitWithAck("rename", "lovelace")).toBe("lovelace");
    const gone = disconnected(socket);
    await (await rename).session.end();
    expect(await gone).toBe("io server disconnect");
  });

  test.each([
    [["polling"], false, "connected"],
    [["polling"], true, "refused"],
    [["websocket"], true, "connected"],
  ])(
    "by %s, with credentials: %s, where the handshake sets a cookie is %s",
    async (transports, withCredentials, outcome) => {
      const { world } = await start();
      world.io.engine.on("initial_headers", (headers) => {
        headers["set-cookie"] = "balancer=one";
      });
      const { cookie } = await world.visitor();
      const options = { transports, withCredentials, reconnection: false, extraHeaders: { cookie } };
      const socket = world.browser().socket("/", options);
      await (outcome === "connected" ? connected(socket) : refused(socket));
    },
  );
});

describe("the client by tickets", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const routes: WorldOptions["routes"] = (app, sessions) => app.use("/session", sessions.routes());

  async function client({ url }: World): Promise<Socket> {
    return opened(await logInAndConnectByTicket(url, "ada"));
  }

  /** Has `then` follow each answer to a request for a ticket. */
  function afterTicket(then: () => Promise<void>): void {
    const { fetch } = globalThis;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (...args) => {
      const response = await fetch(...args);
      if (String(args[0]).endsWith("/ticket")) await then();
      return response;
    });
  }

  test("has the session of its login without a cookie, again after a reconnection, and none after the logout", async () => {
    const { world, rename } = await start({ routes });
    const cookies: unknown[] = [];
    world.io.on("connection", ({ handshake }) => cookies.push(handshake.headers.cookie));
    const socket = await client(world);
    expect(await socket.emitWithAck("rename", "lovelace")).toBe("lovelace");
    (await rename).conn.close();
    await disconnected(socket);
    await connected(socket);
    expect(cookies).toEqual([undefined, undefined]);
    const gone = disconnected(socket);
    await (await rename).session.end();
    expect(await gone).toBe("io server disconnect");
    expect((await refused(socket.connect())).data).toEqual({ code: "SESSION_REQUIRED" });
  });

  test("whose ticket is late fetches another one", async () => {
    const clock = new ManualClock();
    const { world } = await start({ routes, clock, store: memoryStore({ clock }), ticketMs: 5_000 });
    let tickets = 0;
    afterTicket(async () => {
      if (++tickets === 1) await clock.advance(5_000);
    });
    const socket = await client(world);
    expect((await refused(socket)).data).toEqual({ code: "TICKET_INVALID" });
    await connected(socket);
    expect(tickets).toBe(2);
  });

  test("that can't get a ticket tries again", async () => {
    const { world } = await start({ routes });
    let tickets = 0;
    afterTicket(async () => {
      if (++tickets === 1) throw new Error("cut off");
    });
    await connected(await client(world));
    expect(tickets).toBe(2);
  });

  test("does not send the ticket of an earlier connection on the next", async () => {
    const { world } = await start({ routes });
    const asked: (() => void)[] = [];
    afterTicket(() => new Promise((resolve) => asked.push(resolve)));
    const socket = await client(world);
    await expect.poll(() => asked.length).toBe(1);
    socket.disconnect().connect();
    const sent: unknown[] = [];
    socket.io.engine.on("packetCreate", ({ data }) => sent.push(data));
    await expect.poll(() => asked.length).toBe(2);
    asked[0]?.();
    await settle();
    expect(sent.filter((data) => /^0/.test(String(data)))).toEqual([]);
    asked[1]?.();
    await connected(socket);
  });
});

const python = withService("python-socketio");

python.describe("the program in Python", () => {
  function run({ url }: World, changes: Readonly<Record<string, string>>): PythonProgram {
    const text = replaceAll(documented(guide, "python"), { "http://localhost:3000": url, ...changes });
    return opened(new PythonProgram(python.url, text));
  }

  const transports = [`["polling"]`, `["websocket"]`, `["polling", "websocket"]`];
  const connect = "client.connect(url)";
  const by = (names: string) => ({ [connect]: `client.connect(url, transports=${names})` });

  test.each(transports)("has the session of its login, and learns of the logout: %s", async (names) => {
    const { world, rename } = await start();
    const program = run(world, by(names));
    await program.printed("renamed: lovelace");
    await (await rename).session.end();
    await program.printed("the session is over: destroyed");
    expect(await program.ended()).toBe(0);
  });

  test.each(transports)("is told why it is not let in: %s", async (names) => {
    const { world } = await start();
    const login = documented(guide, "python")
      .split("\n")
      .filter((line) => line.startsWith("http.post("));
    const program = run(world, { ...by(names), [login.join()]: "" });
    await program.printed("not let in: SESSION_REQUIRED");
  });

  test("with headers instead of a session of requests is refused at its second request, by polling", async () => {
    const { world } = await start();
    const header = `"; ".join(f"{one.name}={one.value}" for one in http.cookies)`;
    const program = run(world, {
      "socketio.Client(http_session=http)": "socketio.Client(reconnection=False)",
      [connect]: `client.connect(url, headers={"Cookie": ${header}}, transports=["polling"])`,
    });
    const refusal = new Promise((resolve) => world.sessions.once("refuse", resolve));
    expect(await program.ended()).toBe(1);
    expect(await refusal).toMatchObject({ code: "COOKIE_MISSING" });
  });
});
