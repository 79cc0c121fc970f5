/** Tickets in the hands of others, and at other times than they are meant for. */

import { EventEmitter } from "node:events";
import { inspect } from "node:util";
import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { memoryStore } from "socket-session/memory";
import { sqliteStore } from "socket-session/sqlite";
import { afterEach, describe, expect, test } from "vitest";
import { type Browser, connected, disconnected, refused } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawPolling, rawPackets } from "../support/raw-client.ts";
import { secret, startWorld, type World, type WorldOptions } from "../support/world.ts";

const worlds: World[] = [];
let world: World;
afterEach(async () => {
  for (const one of worlds.splice(0)) await one.close();
});

const page = "https://page.example";
const otherPage = "https://other.example";

async function start(options: WorldOptions = {}): Promise<World> {
  world = await startWorld({
    origins: [page, otherPage],
    routes: (app, sessions) => app.use("/session", sessions.routes()),
    sockets: (io) => installHandlers(io),
    ...options,
  });
  worlds.push(world);
  return world;
}

const refusals = () => world.sessions.stats().refused.TICKET_INVALID;
const invalid = { code: "TICKET_INVALID" };

/** For a page of `origin`, or a client that sends none. */
async function ticketOf(visitor: Browser, origin?: string): Promise<string> {
  const headers = origin === undefined ? {} : { origin };
  const { body } = await visitor.request("/session/ticket", { method: "POST", headers });
  return JSON.parse(body).ticket;
}

describe.each([{ transports: ["polling"] }, { transports: ["websocket"] }])(
  "by $transports",
  ({ transports }) => {
    type Given = Partial<ManagerOptions & SocketOptions> & { origin?: string; cookie?: string };

    /** A client without a cookie, unless it is given one. */
    function knock(ticket: unknown, { origin, cookie, ...options }: Given = {}, at = world): Socket {
      const extraHeaders = { ...(origin ? { origin } : {}), ...(cookie ? { cookie } : {}) };
      return at.browser().socket("/", { transports, extraHeaders, auth: { ticket }, ...options });
    }

    test("a ticket stolen by a page of another origin does not let that page in, and still lets the rightful in", async () => {
      await start();
      const ticket = await ticketOf(await world.visitor(), page);
      for (const origin of [otherPage, world.url, undefined])
        expect((await refused(knock(ticket, origin ? { origin } : {}))).data).toEqual(invalid);
      await connected(knock(ticket, { origin: page }));
    });

    test("the id of a ticket's session is not found in the request, however it is inspected", async () => {
      await start();
      const visitor = await world.visitor();
      const { id } = JSON.parse(await visitor.get("/session"));
      await connected(knock(await ticketOf(visitor)));
      const [socket] = world.io.sockets.sockets.values();
      expect(inspect(socket?.request, { showHidden: true, depth: 12 })).not.toContain(id);
    });

    test("a ticket for no origin is good for clients without one only", async () => {
      await start();
      const ticket = await ticketOf(await world.visitor());
      expect((await refused(knock(ticket, { origin: page }))).data).toEqual(invalid);
      await connected(knock(ticket));
    });

    test("a ticket replayed at once on four nodes lets one connection in", async () => {
      const store = memoryStore();
      const nodes = [
        await start({ store }),
        await start({ store }),
        await start({ store }),
        await start({ store }),
      ];
      const ticket = await ticketOf(await world.visitor());
      const outcomes = await Promise.all(
        nodes.map((node) =>
          connected(knock(ticket, {}, node)).then(
            () => "in",
            (error) => error.data.code,
          ),
        ),
      );
      expect(outcomes.sort()).toEqual(["TICKET_INVALID", "TICKET_INVALID", "TICKET_INVALID", "in"]);
    });

    test("a ticket of an application with other secrets on the same store is refused, as its cookie is", async () => {
      const store = memoryStore();
      const [old, other] = ["an old secret of thirty-two chars", "another application's own secret"];
      const issuer = await start({ store, secret: [secret, old] });
      const ada = await issuer.visitor();
      const tickets = [await ticketOf(ada), await ticketOf(ada), await ticketOf(ada)];
      const stranger = await start({ store, secret: other });
      expect((await refused(knock(tickets.pop(), {}, stranger))).data).toEqual(invalid);
      for (const shared of [secret, old])
        await connected(knock(tickets.pop(), {}, await start({ store, secret: shared })));
    });

    test("a late ticket is refused", async () => {
      const clock = new ManualClock();
      await start({ clock, store: memoryStore({ clock }) });
      const visitor = await world.visitor();
      const late = await ticketOf(visitor);
      await clock.advance(30_000);
      expect((await refused(knock(late))).data).toEqual(invalid);
      const last = await ticketOf(visitor);
      await clock.advance(29_999);
      await connected(knock(last));
    });

    test.each<{ ticket: unknown }>(
      [undefined, null, 1, {}, [], "", "x", "x".repeat(43), "x".repeat(100_000), { toString: 1 }].map(
        (ticket) => ({ ticket }),
      ),
    )("$ticket is no ticket", async ({ ticket }) => {
      await start();
      const code = ticket === undefined ? "SESSION_REQUIRED" : "TICKET_INVALID"; // JSON leaves undefined out
      expect((await refused(knock(ticket))).data).toEqual({ code });
    });

    test("a ticket beside a foreign cookie is refused, and the connection keeps the session of its cookie", async () => {
      await start();
      const [ada, bob] = [await world.visitor({ name: "ada" }), await world.visitor({ name: "bob" })];
      const socket = bob.socket("/", { transports });
      await connected(socket);
      const admin = socket.io.socket("/admin", { auth: { ticket: await ticketOf(ada) } });
      expect((await refused(admin)).data).toEqual(invalid);
      expect(await socket.emitWithAck("read")).toEqual({ name: "bob" });
      expect((await refused(knock(await ticketOf(ada), { cookie: bob.cookie }))).data).toEqual(invalid);
      const ended = await world.visitor();
      const { cookie } = ended;
      await ended.post("/logout");
      expect((await refused(knock(await ticketOf(ada), { cookie }))).data).toEqual(invalid);
    });

    test("a ticket of the cookie's own session is good, and used up", async () => {
      await start();
      const ada = await world.visitor();
      const ticket = await ticketOf(ada);
      await connected(knock(ticket, { cookie: ada.cookie }));
      expect((await refused(knock(ticket))).data).toEqual(invalid);
    });

    test("a ticket in another namespace's CONNECT: one of the same session is good, another's is refused", async () => {
      await start();
      const [ada, bob] = [await world.visitor({ name: "ada" }), await world.visitor({ name: "bob" })];
      const socket = knock(await ticketOf(ada));
      const beside = socket.io.socket("/admin", { auth: { ticket: await ticketOf(ada) } }); // at the same time
      await Promise.all([connected(socket), connected(beside)]);
      const room = socket.io.socket("/room-7", { auth: { ticket: await ticketOf(bob) } });
      expect((await refused(room)).data).toEqual(invalid);
      const again = socket.io.socket("/room-8", { auth: socket.auth as object }); // its own, which is used
      await connected(again);
      expect(await again.emitWithAck("read")).toEqual({ name: "ada" });
      expect(refusals()).toBe(1);
    });

    test("no middleware, handler or function for dynamic namespaces sees the ticket", async () => {
      const seen: unknown[] = [];
      await start({
        sockets: (io) => {
          for (const namespace of [
            io.of("/"),
            io.of((_name, auth, next) => next(null, seen.push(auth) > 0)),
          ]) {
            namespace.use((socket, next) => next(void seen.push(socket.handshake.auth)));
            namespace.on("connection", (socket) => seen.push(socket.handshake.auth));
          }
        },
      });
      const ada = await world.visitor();
      const [ticket, second] = [await ticketOf(ada), await ticketOf(ada)];
      const socket = knock(undefined, { auth: { ticket, name: "kept" } });
      await connected(socket);
      await connected(socket.io.socket("/dynamic", { auth: { ticket: second, name: "kept" } }));
      expect(seen).toEqual(seen.map(() => ({ name: "kept" })));
      expect(seen.length).toBe(5);
    });

    test("a function for dynamic namespaces has a payload without a ticket as the application's parser gives it", async () => {
      const seen: unknown[] = [];
      class Decoder extends EventEmitter {
        add(text: string) {
          this.emit("decoded", JSON.parse(text));
        }
        destroy() {}
      }
      await start({
        guests: "allow",
        io: {
          parser: {
            Encoder: class {
              encode = (packet: object) => [JSON.stringify(packet)];
            },
            Decoder,
          },
        },
        sockets: (io) => io.of((_name, auth, next) => next(null, seen.push(auth) > 0)),
      });
      const send = await rawPackets(world.url, transports[0] ?? "", 4);
      await send(JSON.stringify({ type: 0, nsp: "/dynamic", data: [1] }));
      await expect.poll(() => seen).toEqual([[1]]);
    });

    test("with guests allowed, a client with a ticket has its session, and one without is a guest", async () => {
      await start({ guests: "allow" });
      const ada = await world.visitor();
      const guest = knock(undefined);
      await connected(guest);
      expect(await guest.emitWithAck("state")).toBe("guest");
      const socket = knock(await ticketOf(ada));
      await connected(socket);
      expect(await socket.emitWithAck("state")).toBe("live");
      const admin = guest.io.socket("/admin", { auth: { ticket: await ticketOf(ada) } });
      expect((await refused(admin)).data).toEqual(invalid);
      expect(world.sessions.stats().connections).toBe(2);
    });

    test("a client in an exempt namespace proves its session later, and keeps the exempt socket", async () => {
      await start({
        attach: { exempt: ["/open"] },
        sockets: (io) => {
          installHandlers(io);
          io.of("/open");
        },
      });
      const ada = await world.visitor({ name: "ada" });
      const open = world.browser().socket("/open", { transports, auth: { ticket: "of its own" } });
      await connected(open);
      expect(serverSockets(world.io).map(({ handshake }) => handshake.auth)).toEqual([
        { ticket: "of its own" },
      ]);
      const socket = open.io.socket("/", { auth: { ticket: await ticketOf(ada) } });
      await connected(socket);
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
      expect(open.connected).toBe(true);
      const gone = disconnected(socket);
      await ada.post("/logout");
      expect(await gone).toBe("io server disconnect");
    });

    test("a page of an origin that only an exempt namespace lists can't use a ticket", async () => {
      await start({ attach: { exempt: [{ namespace: "/open", origins: ["https://exempt.example"] }] } });
      const socket = knock(await ticketOf(await world.visitor()), { origin: "https://exempt.example" });
      expect((await refused(socket)).data).toEqual({ code: "ORIGIN_REFUSED" });
    });

    test("a session that ends while the ticket is redeemed lets no client in", async () => {
      const store = memoryStore();
      const ada = await (await start({ store })).visitor();
      const ticket = await ticketOf(ada);
      const { takeTicket } = store;
      store.takeTicket = async (id) => {
        const value = await takeTicket?.call(store, id);
        await ada.post("/logout");
        return value ?? null;
      };
      expect((await refused(knock(ticket))).data).toEqual(invalid);
    });

    test("a store that fails closes the transport, so that a stock client tries again with another ticket", async () => {
      const store = memoryStore();
      const ada = await (await start({ store })).visitor();
      const { takeTicket } = store;
      store.takeTicket = async () => {
        store.takeTicket = takeTicket as never;
        throw new Error("down");
      };
      const tickets = [await ticketOf(ada), await ticketOf(ada)];
      const socket = knock(undefined, { auth: (send) => send({ ticket: tickets.shift() }) });
      await new Promise<void>((resolve) => socket.once("connect", resolve));
      expect(tickets).toEqual([]);
      expect(world.errors).toMatchObject([{ code: "STORE_FAILED" }]);
      expect(refusals()).toBe(0);
    });

    test("a client whose ticket the store does not answer for is closed after unprovenMs, and does not count as refused", async () => {
      const clock = new ManualClock();
      const store = memoryStore({ clock });
      await start({ clock, store, unprovenMs: 3_000, storeTimeoutMs: 5_000 });
      const ticket = await ticketOf(await world.visitor());
      const asked = Promise.withResolvers<void>();
      store.takeTicket = () => {
        asked.resolve();
        return new Promise(() => {});
      };
      knock(ticket, { reconnection: false });
      await asked.promise;
      await clock.advance(3_000);
      await expect.poll(() => world.io.engine.clientsCount).toBe(0);
      expect(world.sessions.stats().refused).toMatchObject({ SESSION_REQUIRED: 0, TICKET_INVALID: 0 });
      await clock.advance(2_000);
      expect(world.errors).toMatchObject([{ code: "STORE_TIMEOUT" }]);
    });

    test("megabytes that wait for a ticket to be redeemed close the connection", async () => {
      const clock = new ManualClock();
      const store = Object.assign(memoryStore(), { takeTicket: () => new Promise<null>(() => {}) });
      await start({ clock, store });
      const send = await rawPackets(world.url, transports[0] ?? "", 4);
      await send(`0{"ticket":"${"x".repeat(43)}"}`);
      for (let i = 0; i < 3; i++) await send(`0{"ticket":"${"x".repeat(500_000)}"}`).catch(() => {});
      await expect.poll(() => world.io.engine.clientsCount).toBe(0);
    });

    test("CONNECT packets by the thousand on one unproven connection: some are answered, and it is closed", async () => {
      await start();
      const send = await rawPackets(world.url, transports[0] ?? "", 4);
      for (let i = 0; i < 1_000; i++) await send(`0/${i},`).catch(() => {});
      await expect.poll(() => world.io.engine.clientsCount).toBe(0);
      expect(world.sessions.stats().refused.SESSION_REQUIRED).toBe(1);
    });

    test("a thousand guesses on one connection take the store's time for 32", async () => {
      const store = memoryStore();
      let taken = 0;
      await start({ store: Object.assign(store, { takeTicket: async () => (++taken > 0 ? null : null) }) });
      const send = await rawPackets(world.url, transports[0] ?? "", 4);
      for (let i = 0; i < 1_000; i++)
        await send(`0{"ticket":"${String(i).padStart(43, "x")}"}`).catch(() => {});
      await expect.poll(() => world.io.engine.clientsCount).toBe(0);
      expect(taken).toBeLessThanOrEqual(32);
      expect(taken).toBeGreaterThan(0);
      expect(refusals()).toBeLessThanOrEqual(taken); // the client may be closed before the answer
      expect(refusals() + world.sessions.stats().refused.SESSION_REQUIRED).toBeGreaterThan(0);
    });

    test("a client that has its session and shows wrong tickets without end is closed", async () => {
      await start();
      const socket = (await world.visitor()).socket("/", { transports, reconnection: false });
      await connected(socket);
      const gone = disconnected(socket);
      for (let i = 0; i < 257; i++) socket.io.socket(`/room-${i}`, { auth: { ticket: "x" } });
      await gone;
      expect(refusals()).toBe(256);
    });

    test("a ticket that is not good is answered in each namespace, on one connection", async () => {
      await start();
      const socket = knock("x".repeat(43), { reconnection: false });
      const ways = Array.from({ length: 20 }, (_, i) => `/room-${i}`);
      const others = ways.map((name) => socket.io.socket(name, { auth: { ticket: "x".repeat(43) } }));
      for (const one of await Promise.all([socket, ...others].map(refused)))
        expect(one.data).toEqual(invalid);
    });

    test("a client may bring a good ticket to any number of namespaces, at once or later", async () => {
      await start();
      const ada = await world.visitor();
      const tickets: string[] = [];
      for (let i = 0; i < 81; i++) tickets.push(await ticketOf(ada));
      const socket = knock(tickets.pop(), { reconnection: false });
      const join = (name: string) => connected(socket.io.socket(name, { auth: { ticket: tickets.pop() } }));
      const joined = Array.from({ length: 40 }, (_, i) => join(`/room-${i}`));
      await Promise.all([connected(socket), ...joined]);
      for (let i = 40; i < 80; i++) await join(`/room-${i}`);
    });

    test("a wrong ticket leaves no empty dynamic namespace behind, and removes none that another client joins", async () => {
      const store = memoryStore();
      await start({ store, io: { cleanupEmptyChildNamespaces: true } });
      const [ada, bob] = [await world.visitor(), await world.visitor()];
      const [one, other] = [ada.socket("/", { transports }), bob.socket("/", { transports })];
      await Promise.all([connected(one), connected(other)]);
      const ticket = await ticketOf(ada);
      const { takeTicket } = store;
      const asked = Promise.withResolvers<void>();
      const answered = Promise.withResolvers<void>();
      store.takeTicket = async (id) => {
        store.takeTicket = takeTicket as never;
        asked.resolve();
        await answered.promise;
        return (await takeTicket?.call(store, id)) ?? null;
      };
      const joining = one.io.socket("/room-7", { auth: { ticket } });
      await asked.promise;
      for (const name of ["/room-7", "/room-8"])
        expect((await refused(other.io.socket(name, { auth: { ticket: "x" } }))).data).toEqual(invalid);
      answered.resolve();
      await connected(joining);
      const dynamic = () => [...world.io._nsps.keys()].filter((name) => name.startsWith("/room-"));
      await expect.poll(dynamic).toEqual(["/room-7"]);
      joining.disconnect();
      await expect.poll(dynamic).toEqual([]);
    });

    test("a client of revision 3 is refused once, whatever it sends then", async () => {
      const joined: string[] = [];
      await start({
        io: { allowEIO3: true },
        sockets: (io) => io.use((socket, next) => next(void joined.push(socket.id))),
      });
      const ticket = await ticketOf(await world.visitor());
      const send = await rawPackets(world.url, transports[0] ?? "", 3);
      await send(`0{"ticket":"${ticket}"}`);
      await connected(knock(ticket)); // it is not used up
      expect(joined).toHaveLength(1);
    });

    test("any other packet than CONNECT closes an unproven connection", async () => {
      await start();
      const send = await rawPackets(world.url, transports[0] ?? "", 4);
      await send('2["read"]');
      await expect.poll(() => world.io.engine.clientsCount).toBe(0);
    });

    test("a connection is closed after unprovenMs without a ticket, and one that asks in vain a second later", async () => {
      const clock = new ManualClock();
      await start({ clock, store: memoryStore({ clock }), unprovenMs: 3_000 });
      await rawPackets(world.url, transports[0] ?? "", 4);
      const send = await rawPackets(world.url, transports[0] ?? "", 4);
      await send("0");
      await expect.poll(() => world.sessions.stats().refused.SESSION_REQUIRED).toBe(1);
      await clock.advance(1_000);
      await expect.poll(() => world.io.engine.clientsCount).toBe(1);
      await clock.advance(1_999);
      expect(world.io.engine.clientsCount).toBe(1);
      await clock.advance(1);
      await expect.poll(() => world.io.engine.clientsCount).toBe(0);
    });

    test("a flood of unproven connections is bounded, and the rightful get in", async () => {
      await start({ maxUnproven: { all: 20, perAddress: 10 } });
      const ada = await world.visitor();
      const flood = async () => {
        for (let i = 0; i < 40; i++) await rawPackets(world.url, transports[0] ?? "", 4).catch(() => {});
      };
      const flooding = flood();
      await connected(knock(await ticketOf(ada)));
      await connected(ada.socket("/", { transports }));
      await flooding;
      await expect.poll(() => world.io.engine.clientsCount).toBe(12);
    });

    test.each(["first", "second"])(
      "a ticket that is being redeemed as the sessions close is no error: the %s of a connection",
      async (which) => {
        const store = sqliteStore({ path: ":memory:" });
        await start({ store });
        const ada = await world.visitor();
        const ticket = await ticketOf(ada);
        const first = which === "first" ? undefined : ada.socket("/", { transports, reconnection: false });
        if (first) await connected(first);
        const { takeTicket } = store;
        const asked = Promise.withResolvers<void>();
        const closed = Promise.withResolvers<void>();
        const answered = Promise.withResolvers<void>();
        store.takeTicket = async (id) => {
          asked.resolve();
          await closed.promise;
          setImmediate(() => answered.resolve());
          return (await takeTicket?.call(store, id)) ?? null;
        };
        if (first) first.io.socket("/admin", { auth: { ticket } });
        else knock(ticket, { reconnection: false });
        await asked.promise;
        await world.sessions.close();
        closed.resolve();
        await answered.promise;
        expect(world.errors).toEqual([]);
      },
    );

    test("closing the sessions closes unproven connections", async () => {
      await start();
      await rawPackets(world.url, transports[0] ?? "", 4);
      await world.sessions.close();
      await expect.poll(() => world.io.engine.clientsCount).toBe(0);
    });
  },
);

describe("polls and upgrades of a connection that a ticket has proven", () => {
  const open = async (headers: Record<string, string>, visitor: Browser) => {
    const polling = new RawPolling(world.url, headers);
    const { body } = await polling.send("GET");
    polling.sid = JSON.parse(body.slice(1)).sid;
    await polling.send("POST", `40{"ticket":"${await ticketOf(visitor, headers.origin)}"}`);
    expect((await polling.send("GET")).body).toContain('40{"sid"');
    return polling;
  };

  test("carry the cookie of this session or none, and come from its origin", async () => {
    await start();
    const [ada, bob] = [await world.visitor(), await world.visitor()];
    const polling = await open({ origin: page }, ada);
    const statuses: number[] = [];
    const faults: [Record<string, string>, number][] = [
      [{ origin: page }, 200],
      [{ origin: page, cookie: ada.cookie }, 200],
      [{ origin: page, cookie: bob.cookie }, 403],
      [{ origin: otherPage }, 403],
      [{ origin: otherPage, cookie: ada.cookie }, 403],
      [{ origin: "https://stranger.example" }, 403],
    ];
    for (const [headers] of faults) statuses.push((await polling.send("POST", '42["read"]', headers)).status);
    expect(statuses).toEqual(faults.map(([, status]) => status));
    const { COOKIE_MISMATCH, ORIGIN_REFUSED } = world.sessions.stats().refused;
    expect([COOKIE_MISMATCH, ORIGIN_REFUSED]).toEqual([1, 3]);
  });

  test("an unproven connection is bound to its origin, too", async () => {
    await start();
    const polling = new RawPolling(world.url, { origin: page });
    const { body } = await polling.send("GET");
    polling.sid = JSON.parse(body.slice(1)).sid;
    const ticket = await ticketOf(await world.visitor(), otherPage);
    const { status } = await polling.send("POST", `40{"ticket":"${ticket}"}`, { origin: otherPage });
    expect(status).toBe(403);
  });

  test("the upgrade to WebSocket carries the session on", async () => {
    await start();
    const ada = await world.visitor({ name: "ada" });
    const socket = world.browser().socket("/", { auth: { ticket: await ticketOf(ada) } });
    await connected(socket);
    if (socket.io.engine.transport.name !== "websocket")
      await new Promise<void>((resolve) => socket.io.engine.once("upgrade", () => resolve()));
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
  });
});
