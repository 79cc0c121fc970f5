import { sign } from "cookie-signature";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { connected, disconnected, refused } from "../support/browser.ts";
import { installHandlers, namespaces, serverSockets } from "../support/handlers.ts";
import { settle } from "../support/manual-clock.ts";
import { describeEverywhere, namespaceKinds, transportKinds } from "../support/matrix.ts";
import { RawPolling, rawRequest, rawUpgrade } from "../support/raw-client.ts";
import { storeThatFails } from "../support/store-that-fails.ts";
import { secret, startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

const start = async (options: WorldOptions = {}) => {
  world = await startWorld({ sockets: (io) => installHandlers(io), ...options });
};

describeEverywhere("refusals", ({ store, transports, namespace }) => {
  test("a stock client finds the code, stops, and no code of the application runs", async () => {
    const ran: string[] = [];
    await start({
      store: store.open(),
      sockets: (io) => {
        for (const one of namespaces) {
          const nsp = io.of(one);
          nsp.use((_socket, next) => {
            ran.push("middleware");
            next();
          });
          nsp.on("connection", () => ran.push("connection"));
        }
      },
    });
    const good = (await world.visitor()).cookie;
    const forged = (sid: string, key: string) => `sid=${encodeURIComponent(`s:${sign(sid, key)}`)}`;
    const cases: [string, string][] = [
      ["", "SESSION_REQUIRED"],
      ["sid=", "SESSION_REQUIRED"],
      ["other=1", "SESSION_REQUIRED"],
      ["sid=unsigned", "SESSION_INVALID"],
      [forged("abc", "another secret"), "SESSION_INVALID"],
      [good.slice(0, -3), "SESSION_INVALID"],
      [`sid=s:${"x".repeat(8000)}`, "SESSION_INVALID"],
      ["sid=s%3A%E0%A4%A", "SESSION_INVALID"],
      [`sid=s%3As%3A${good.slice(8)}`, "SESSION_INVALID"],
      [forged("never stored", secret), "SESSION_ENDED"],
      [`${forged("never stored", secret)}; ${good}`, "SESSION_ENDED"],
    ];
    for (const [cookie, code] of cases) {
      const visitor = world.browser();
      const socket = visitor.socket(namespace, { transports, extraHeaders: { cookie } });
      const second = socket.io.socket("/admin");
      const outcomes = await Promise.all([refused(socket), refused(second)]);
      expect(outcomes.map(({ data }) => data?.code)).toEqual([code, code]);
      expect([socket.active, second.active]).toEqual([false, false]);
    }
    await expect.poll(() => world.io.engine.clientsCount).toBe(0);
    expect(ran).toEqual([]);
    const { refused: counts } = world.sessions.stats();
    expect(counts).toMatchObject({ SESSION_REQUIRED: 3, SESSION_INVALID: 6, SESSION_ENDED: 2 });
    expect(world.errors).toEqual([]);
  });

  test("cross-origin handshakes are refused with the visitor's cookie, unless the origin is listed", async () => {
    await start({
      store: store.open(),
      origins: ["https://listed.example"],
      io: { cors: { origin: true, credentials: true } },
    });
    const ada = await world.visitor();
    const attempt = (headers: Record<string, string>) =>
      ada.socket(namespace, {
        transports,
        reconnection: false,
        extraHeaders: { cookie: ada.cookie, ...headers },
      });
    const evil = await refused(attempt({ origin: "https://evil.example" }));
    expect(evil.data).toBeUndefined();
    expect(world.sessions.stats().refused.ORIGIN_REFUSED).toBe(1);
    await connected(attempt({ origin: "https://listed.example" }));
    await connected(attempt({ origin: world.url }));
    expect(serverSockets(world.io)).toHaveLength(2);
  });

  test("while the store is down no client is let in, and a stock client gets in as soon as it is back", async () => {
    let down = true;
    await start({ store: storeThatFails(() => down) });
    down = false;
    const ada = await world.visitor();
    down = true;
    const socket = ada.socket(namespace, { transports });
    expect((await refused(socket)).data).toBeUndefined();
    expect(socket.active).toBe(true);
    expect(serverSockets(world.io)).toEqual([]);
    down = false;
    await new Promise((resolve) => socket.once("connect", () => resolve(0)));
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    expect(world.sessions.stats().refused.STORE_UNAVAILABLE).toBeGreaterThan(0);
    expect(world.errors[0]).toMatchObject({
      cause: { message: expect.stringContaining("connection refused") },
    });
  });
});

describe("a refused connection", () => {
  test("is closed by the server if the client does not, and accepts nothing else", async () => {
    await start();
    const attacker = new RawPolling(world.url, {});
    expect(await attacker.open()).toBe(
      '44{"message":"no session cookie came along: log in first","data":{"code":"SESSION_REQUIRED"}}',
    );
    expect((await attacker.send("POST", '42["read"]')).status).toBe(200);
    expect((await attacker.send("GET")).status).toBe(400); // closed: the id is unknown
    expect(world.io.engine.clientsCount).toBe(0);
  });

  test("is closed if the client stays silent", async () => {
    await start();
    const attacker = new RawPolling(world.url, {});
    const { body } = await attacker.send("GET");
    attacker.sid = JSON.parse(body.slice(1)).sid;
    expect((await attacker.send("GET")).body).toBe("1"); // the close packet
    await expect.poll(() => world.io.engine.clientsCount).toBe(0);
  });
});

describe("polls and upgrades by other visitors", () => {
  test("get nothing, accept nothing, and leave the rightful connection unharmed", async () => {
    const heard: unknown[] = [];
    await start({
      sockets: (io) => io.on("connection", (socket) => socket.onAny((...event) => heard.push(event))),
    });
    const ada = await world.visitor({ name: "ada" });
    const eve = await world.visitor({ name: "eve" });
    const own = new RawPolling(world.url, { cookie: ada.cookie });
    expect(await own.open()).toMatch(/^40/);
    world.io.emit("secret", 1);
    for (const headers of [{ cookie: eve.cookie }, {}, { cookie: `${ada.cookie}x` }]) {
      expect((await own.send("GET", undefined, headers as Record<string, string>)).status).toBe(403);
      expect((await own.send("POST", '42["forged"]', headers as Record<string, string>)).status).toBe(403);
      const query = `EIO=4&transport=websocket&sid=${own.sid}`;
      expect(await rawUpgrade(world.url, headers as Record<string, string>, query)).toBe(
        "HTTP/1.1 403 Forbidden",
      );
    }
    expect((await own.send("GET")).body).toBe('42["secret",1]');
    await own.send("POST", '42["mine"]');
    await expect.poll(() => heard).toEqual([["mine"]]);
    expect(world.sessions.stats().refused).toMatchObject({ COOKIE_MISMATCH: 6, COOKIE_MISSING: 3 });
  });

  test.each([
    ["no cookie", {}, "COOKIE_MISSING"],
    ["cookies of others", { cookie: "theme=dark; lang=en" }, "COOKIE_MISSING"],
    ["an empty cookie", { cookie: "sid=" }, "COOKIE_MISSING"],
    ["a damaged cookie", { cookie: "sid=s%3Adamaged" }, "COOKIE_MISMATCH"],
  ])("by a client that sends %s after its handshake get a code", async (_name, headers, code) => {
    await start();
    const { cookie } = await world.visitor();
    const client = new RawPolling(world.url, { cookie });
    await client.open();
    const given = headers as Record<string, string>;
    for (const method of ["GET", "POST"] as const) {
      const { status, body } = await client.send(method, method === "POST" ? '42["read"]' : undefined, given);
      expect([status, JSON.parse(body).data]).toEqual([403, { code }]);
    }
    const upgrade = await rawUpgrade(world.url, given, `EIO=4&transport=websocket&sid=${client.sid}`);
    expect(upgrade).toBe("HTTP/1.1 403 Forbidden");
    expect(world.sessions.stats().refused[code as "COOKIE_MISSING"]).toBe(3);
    expect((await client.send("POST", '420["read"]')).status).toBe(200);
    expect((await client.send("GET")).body).toBe('430[{"name":"ada"}]');
  });

  test("with a session, for a handshake without one, count as another's", async () => {
    await start({ guests: "allow" });
    const { cookie } = await world.visitor();
    const guest = new RawPolling(world.url, {});
    await guest.open();
    const { status, body } = await guest.send("GET", undefined, { cookie });
    expect([status, JSON.parse(body).data]).toEqual([403, { code: "COOKIE_MISMATCH" }]);
    expect((await guest.send("POST", '420["state"]')).status).toBe(200);
  });

  test("the engine id of a request is read once: the last of two, as Engine.IO does", async () => {
    await start();
    const ada = await world.visitor({ name: "ada" });
    const eve = await world.visitor({ name: "eve" });
    const own = new RawPolling(world.url, { cookie: ada.cookie });
    await own.open();
    const others = new RawPolling(world.url, { cookie: eve.cookie });
    await others.open();
    for (const sids of [`sid=${others.sid}&sid=${own.sid}`, `sid=&sid=${own.sid}`]) {
      const url = `${world.url}/socket.io/?EIO=4&transport=polling&${sids}`;
      expect((await rawRequest(url, "GET", { cookie: eve.cookie })).status).toBe(403);
    }
  });

  test("JSONP, WebTransport and unreadable addresses are refused; preflights pass", async () => {
    await start({ io: { cors: { origin: "https://listed.example" } }, origins: ["https://listed.example"] });
    const { cookie } = await world.visitor();
    const jsonp = `${world.url}/socket.io/?EIO=4&transport=polling&j=0`;
    expect((await rawRequest(jsonp, "GET", { cookie })).status).toBe(403);
    const preflight = await rawRequest(`${world.url}/socket.io/?EIO=4&transport=polling`, "OPTIONS", {
      origin: "https://listed.example",
      "access-control-request-method": "GET",
    });
    expect(preflight.status).toBe(204);
    let closed = false;
    await world.io.engine.onWebTransportSession({
      close: () => {
        closed = true;
      },
    });
    expect(closed).toBe(true);
    expect(world.sessions.stats().refused).toMatchObject({ JSONP_REFUSED: 1, TRANSPORT_REFUSED: 1 });
  });

  test("a peer that resets while its upgrade waits for the store does not end the process", async () => {
    const port = memoryStore();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const read = port.read.bind(port);
    await start({ store: port });
    const { cookie } = await world.visitor();
    port.read = async (key) => {
      asked.resolve();
      await answer.promise;
      return read(key);
    };
    const { connect } = await import("node:net");
    const { port: tcpPort } = new URL(world.url);
    const peer = connect(Number(tcpPort), "127.0.0.1", () => {
      peer.write(
        `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: ${cookie}\r\n\r\n`,
      );
    });
    await asked.promise;
    peer.resetAndDestroy();
    await settle();
    answer.resolve();
    await settle();
    expect(world.sessions.stats()).toMatchObject({ live: 0, connections: 0 });
  });

  test("an admission whose request never becomes a connection releases its resources", async () => {
    await start({ io: { allowRequest: (_req, decide) => decide("no", false) } });
    const ada = await world.visitor();
    for (const transports of [["polling"], ["websocket"]]) {
      const socket = ada.socket("/", { transports, reconnection: false });
      await refused(socket);
    }
    await expect.poll(() => world.sessions.stats().live).toBe(0);
  });
});

describe.each(transportKinds)("guests by $name", (kind) => {
  const transports = [...kind.transports];
  describe.each(namespaceKinds)("in $name", ({ namespace }) => {
    test("come in without a session or with an unknown one; a forged cookie stays out", async () => {
      await start({ guests: "allow" });
      const unknown = `sid=${encodeURIComponent(`s:${sign("never stored", secret)}`)}`;
      for (const cookie of ["", unknown]) {
        const socket = world.browser().socket(namespace, { transports, extraHeaders: { cookie } });
        await connected(socket);
        expect(await socket.emitWithAck("state")).toBe("guest");
        expect(await socket.emitWithAck("read")).toEqual({});
        expect(await socket.emitWithAck("end")).toBe(false);
      }
      const [guest] = serverSockets(world.io);
      expect(guest?.session).toMatchObject({ publicId: "", userId: undefined, state: "guest" });
      await expect(guest?.session.update(() => {})).rejects.toMatchObject({ code: "SESSION_GUEST" });
      const forged = world.browser().socket(namespace, { transports, extraHeaders: { cookie: "sid=s:a.b" } });
      expect((await refused(forged)).data).toEqual({ code: "SESSION_INVALID" });
    });

    test("stay guests after a login until they reconnect", async () => {
      await start({ guests: "allow" });
      const visitor = world.browser();
      const socket = await visitor.connect(namespace, { transports: ["websocket"] });
      await visitor.post("/login", { name: "ada" });
      expect(await socket.emitWithAck("state")).toBe("guest");
      const back = connected(socket.disconnect());
      socket.connect();
      await back;
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    });
  });
});

describe.each([true, false])("connection state recovery with skipMiddlewares: %s", (skipMiddlewares) => {
  test.each(namespaceKinds)(
    "in $name restores and sends nothing to the next user in the tab, nor after a logout",
    async ({ namespace }) => {
      const recovered: boolean[] = [];
      const ran: string[] = [];
      await start({
        io: { connectionStateRecovery: { skipMiddlewares } },
        sockets: (io) => {
          for (const one of namespaces) {
            const nsp = io.of(one);
            nsp.use((socket, next) => {
              ran.push(socket.session.publicId);
              next();
            });
            nsp.on("connection", (socket) => {
              recovered.push(socket.recovered);
              socket.join("room");
              socket.on("read", (done) => done(socket.session.data, [...socket.rooms].length));
            });
          }
        },
      });
      const ada = await world.visitor({ name: "ada" });
      const socket = await ada.connect(namespace, { transports: ["websocket"], reconnection: false });
      const received: unknown[] = [];
      socket.onAny((event, value) => received.push([event, value])); // without the recovery's own offset
      world.io.of(namespace).emit("first", 1);
      await expect.poll(() => received.length).toBe(1);
      const gone = disconnected(socket);
      socket.io.engine.close();
      await gone;
      await ada.post("/login", { name: "eve" }); // the next user in the same tab
      world.io.of(namespace).emit("missed", 2);
      const back = connected(socket);
      socket.connect();
      await back;
      expect(await socket.emitWithAck("read")).toEqual({ name: "eve" });
      expect(received).toEqual([["first", 1]]);
      expect(recovered).toEqual([false, false]);
      expect(ran).toHaveLength(2);
      expect(socket.recovered).toBe(false);

      const { cookie } = ada;
      const goneAgain = disconnected(socket);
      socket.io.engine.close();
      await goneAgain;
      await ada.post("/logout");
      world.io.of(namespace).emit("missed", 3);
      ada.cookie = cookie;
      const refusal = refused(socket);
      socket.connect();
      expect((await refusal).data).toEqual({ code: "SESSION_ENDED" });
      expect(received).toEqual([["first", 1]]);
    },
  );
});
