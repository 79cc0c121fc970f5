/** `origins` as a function: it is called for every page that is not the server's own, and only `true` admits. */
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connected, refused } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { namespaceKinds, transportKinds } from "../support/matrix.ts";
import { RawPolling, rawRequest, rawUpgrade } from "../support/raw-client.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";

const tenant = "https://tenant.example";
const page = { cors: { origin: true, credentials: true } };

let world: World;
let asked: string[];
beforeEach(() => {
  asked = [];
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(async () => {
  await world.close();
  vi.restoreAllMocks();
});

type Answer = (origin: string, request: IncomingMessage) => unknown;

async function start(answer: Answer, clock = new ManualClock(), store = memoryStore()): Promise<void> {
  const origins = ((origin, request) => {
    asked.push(origin);
    return answer(origin, request);
  }) as (origin: string, request: IncomingMessage) => boolean;
  world = await startWorld({ store, origins, clock, io: page, sockets: (io) => installHandlers(io) });
}

const counts = () => world.sessions.stats().refused.ORIGIN_REFUSED;

describe.each(transportKinds)("by $name", (kind) => {
  const transports = [...kind.transports];

  describe.each(namespaceKinds)("in $name", ({ namespace }) => {
    const attempt = async (origin: string) => {
      const ada = await world.visitor();
      const extraHeaders = { cookie: ada.cookie, origin };
      return ada.socket(namespace, { transports, reconnection: false, extraHeaders });
    };

    test.each<[string, Answer]>([
      ["true", () => true],
      ["a promise of true", async () => true],
    ])("%s admits", async (_name, answer) => {
      await start(answer);
      const socket = await attempt(tenant);
      await connected(socket);
      if (transports.length > 1) await upgraded(socket);
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
      expect(asked).toEqual([tenant]); // no poll or upgrade asks again
      await connected(await attempt(world.url));
      expect(asked).toEqual([tenant]); // nor do the server's own pages
      expect(world.errors).toEqual([]);
    });

    test.each<[string, Answer]>([
      ["false", () => false],
      ["a promise of false", async () => false],
      ["what only counts as true", () => "yes"],
      ["a promise of 1", async () => 1],
      ["nothing", () => undefined],
    ])("%s refuses", async (_name, answer) => {
      await start(answer);
      await refused(await attempt(tenant));
      expect([counts(), serverSockets(world.io), world.errors]).toEqual([1, [], []]);
    });

    test.each<[string, Answer]>([
      [
        "throws",
        () => {
          throw new Error("no database");
        },
      ],
      ["rejects", async () => Promise.reject(new Error("no database"))],
    ])("a function that %s refuses, and is reported each time", async (_name, answer) => {
      await start(answer);
      await refused(await attempt(tenant));
      await refused(await attempt(tenant));
      expect([counts(), serverSockets(world.io)]).toEqual([2, []]);
      const error = {
        code: "LISTENER_FAILED",
        message: "The `origins` function failed: Error. See its cause.",
        cause: expect.objectContaining({ message: "no database" }),
      };
      expect(world.errors).toEqual([expect.objectContaining(error), expect.objectContaining(error)]);
    });

    test("a function that does not answer refuses after ten seconds", async () => {
      const clock = new ManualClock();
      await start(() => new Promise(() => {}), clock);
      const outcome = refused(await attempt(tenant));
      await expect.poll(() => asked).toHaveLength(1);
      await clock.advance(9_999);
      expect(counts()).toBe(0);
      await clock.advance(1);
      await outcome;
      expect([counts(), serverSockets(world.io)]).toEqual([1, []]);
      expect(world.errors).toEqual([
        expect.objectContaining({
          code: "LISTENER_FAILED",
          message: expect.stringContaining("The `origins` function did not answer within 10000 ms"),
        }),
      ]);
    });
  });
});

describe("polls", () => {
  const query = (sid: string) => `EIO=4&transport=websocket&sid=${sid}`;

  async function open(headers: Record<string, string>) {
    const ada = await world.visitor();
    const client = new RawPolling(world.url, { cookie: ada.cookie, ...headers });
    await client.open();
    return { client, cookie: ada.cookie };
  }

  test("of another origin than their connection's are checked, and neither gets the other's packets", async () => {
    await start((origin) => origin === tenant);
    const { client, cookie } = await open({ origin: tenant });
    world.io.emit("secret");
    const other = { cookie, origin: "https://other.example" };
    expect((await client.send("GET", undefined, other)).status).toBe(403);
    expect((await client.send("POST", '42["forged"]', other)).status).toBe(403);
    expect(await rawUpgrade(world.url, other, query(client.sid))).toBe("HTTP/1.1 403 Forbidden");
    expect((await client.send("GET")).body).toBe('42["secret"]');
    expect(asked).toEqual([tenant, ...Array(3).fill("https://other.example")]);
  });

  test("of a page whose handshake named none, as behind a proxy that changes Host, are checked once", async () => {
    await start((origin) => origin === tenant);
    const { client, cookie } = await open({});
    expect(asked).toEqual([]);
    const named = { cookie, origin: tenant };
    for (let n = 0; n < 3; n++) expect((await client.send("POST", '42["read"]', named)).status).toBe(200);
    expect(await rawUpgrade(world.url, named, query(client.sid))).toBe("HTTP/1.1 101 Switching Protocols");
    expect(asked).toEqual([tenant]);
  });

  test("of one connection stay in order, because no poll of its own page waits", async () => {
    await start(async (origin) => origin === tenant);
    const { client } = await open({ origin: tenant });
    const received: unknown[] = [];
    serverSockets(world.io)[0]?.onAny((event) => received.push(event));
    for (const event of ["1", "2", "3"]) await client.send("POST", `42["${event}"]`);
    await expect.poll(() => received).toEqual(["1", "2", "3"]);
  });
});

test.each([
  ["null", "null"],
  ["nothing", ""],
  ["a file", "file://"],
  ["a path that ends like a tenant", "https://evil.example/.tenant.example"],
  ["a user before the host", "https://tenant.example@evil.example"],
  ["a wildcard", "https://*.tenant.example"],
])("is not called for an invalid origin: %s", async (_name, origin) => {
  await start(() => true);
  const ada = await world.visitor();
  const client = new RawPolling(world.url, { cookie: ada.cookie, origin });
  expect((await client.send("GET")).status).toBe(403);
  expect(await rawUpgrade(world.url, { cookie: ada.cookie, origin })).toBe("HTTP/1.1 403 Forbidden");
  expect([asked, counts()]).toEqual([[], 2]);
});

test("is given the request, with the parts that it needs", async () => {
  let seen: unknown;
  await start((_origin, request) => {
    seen = [request.headers.host, request.url?.slice(0, 12)];
    return true;
  });
  const client = new RawPolling(world.url, { origin: tenant });
  await client.send("GET");
  expect(seen).toEqual([new URL(world.url).host, "/socket.io/?"]);
});

describe.each(["polling", "websocket"])("by %s, the function is given no session", (transport) => {
  const query = `EIO=4&transport=${transport}`;

  test.each([true, false])("because nothing is proven yet, whatever it answers (%s)", async (answer) => {
    const seen: unknown[] = [];
    await start((_origin, request) => {
      seen.push({ ...Object(Reflect.get(request, "session")) });
      return answer;
    });
    const { cookie } = await world.visitor();
    const client = new RawPolling(world.url, { cookie });
    await client.open();
    for (const named of [{ cookie }, { cookie: "" }])
      for (const sid of ["", `&sid=${client.sid}`])
        await (transport === "polling"
          ? rawRequest(`${world.url}/socket.io/?${query}${sid}`, "POST", { ...named, origin: tenant }, "3")
          : rawUpgrade(world.url, { ...named, origin: tenant }, `${query}${sid}`));
    expect(seen.length).toBeGreaterThan(2);
    for (const session of seen) expect(session).toEqual({});
  });
});

describe.each(["polling", "websocket"])(
  "a client by %s that waits for it while the sessions are closed",
  (transport) => {
    const answered = (cookie: string) =>
      transport === "polling"
        ? new RawPolling(world.url, { cookie, origin: tenant }).send("GET").then(({ status }) => status)
        : rawUpgrade(world.url, { cookie, origin: tenant }).then((line) => Number(line.split(" ")[1]));

    test("gets an answer that makes it retry, and the closed store is not read", async () => {
      const given = Promise.withResolvers<boolean>();
      const store = memoryStore();
      const read = vi.spyOn(store, "read");
      await start(() => given.promise, undefined, store);
      const { cookie } = await world.visitor();
      const status = answered(cookie);
      await expect.poll(() => asked).toHaveLength(1);
      await world.sessions.close();
      read.mockClear();
      given.resolve(true);
      expect(await status).toBe(503);
      expect([read.mock.calls, world.errors, world.sessions.stats().live]).toEqual([[], [], 0]);
    });

    test("and then for the store, gets the same, and the closed store's error is not reported", async () => {
      const store = memoryStore();
      const reading = Promise.withResolvers<null>();
      await start(() => true, undefined, store);
      const { cookie } = await world.visitor();
      const read = vi.spyOn(store, "read").mockReturnValue(reading.promise);
      const status = answered(cookie);
      await expect.poll(() => read.mock.calls).toHaveLength(1);
      await world.sessions.close();
      reading.reject(new Error("closed"));
      expect(await status).toBe(503);
      expect([world.errors, world.sessions.stats().live]).toEqual([[], 0]);
    });
  },
);

describe.each(["polling", "websocket"])("a client by %s that leaves while it runs", (transport) => {
  test.each([true, false])(
    "is not let in, and leaves nothing behind, whatever it answers (%s)",
    async (answer) => {
      const given = Promise.withResolvers<boolean>();
      await start(() => given.promise);
      const { cookie } = await world.visitor();
      const left = new Promise((resolve) =>
        world.http.once("connection", (peer) => peer.once("close", resolve)),
      );
      const { hostname, port, host } = new URL(world.url);
      const upgrade =
        transport === "websocket"
          ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
          : "";
      const peer = connect(Number(port), hostname, () =>
        peer.write(
          `GET /socket.io/?EIO=4&transport=${transport} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${tenant}\r\n${upgrade}Cookie: ${cookie}\r\n\r\n`,
        ),
      );
      await expect.poll(() => asked).toHaveLength(1);
      peer.resetAndDestroy();
      await left;
      given.resolve(answer);
      await expect.poll(() => world.sessions.stats()).toMatchObject({ live: 0, connections: 0 });
      await settle();
      expect(world.io.engine.clientsCount).toBe(0);
      expect(world.errors).toEqual([]);
    },
  );
});
