/** Requests that name a connection, but that no transport answers. */
import { afterEach, describe, expect, test } from "vitest";
import { RawPolling, rawRequest } from "../support/raw-client.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

const page = "https://app.example";
const settings = [
  { name: "without cors", io: {}, preflight: [400, undefined] },
  { name: "with cors", io: { cors: { origin: page, credentials: true } }, preflight: [204, page] },
  {
    name: "with cors that passes preflights on",
    io: { cors: { origin: page, credentials: true, preflightContinue: true } },
    preflight: [400, page],
  },
];

/** The methods that the transports of the server are given, from now on. */
function watchTransports(): Set<string> {
  const given = new Set<string>();
  for (const { transport } of Object.values<{ transport: Transport }>(
    Reflect.get(world.io.engine, "clients"),
  )) {
    const { onRequest } = transport;
    transport.onRequest = (request) => {
      given.add(request.method);
      onRequest.call(transport, request);
    };
  }
  return given;
}

interface Transport {
  onRequest(request: { method: string }): void;
}

describe.each(settings)("OPTIONS $name", ({ io, preflight }) => {
  test.each(["polling", "websocket"])("is answered, and never reaches a %s connection", async (transport) => {
    world = await startWorld({ io, origins: [page] });
    const ada = await world.visitor();
    const socket = await ada.connect("/", { transports: [transport] });
    const { id = "" } = socket.io.engine;
    const given = watchTransports();
    for (const sid of ["", `&sid=${id}`, "&sid=unknown"]) {
      for (const cookie of [{}, { cookie: ada.cookie }]) {
        const { status, headers } = await rawRequest(
          `${world.url}/socket.io/?EIO=4&transport=${transport}${sid}`,
          "OPTIONS",
          { ...cookie, origin: page, "access-control-request-method": "POST" },
        );
        expect([status, headers["access-control-allow-origin"]]).toEqual(preflight);
      }
    }
    expect(given).not.toContain("OPTIONS");
    expect(socket.connected).toBe(true);
  });
});

describe("a preflight of a page that wants to send a proxy's header", () => {
  const reflecting = { cors: { origin: true, credentials: true } };

  test.each([
    "x-forwarded-host",
    "X-Forwarded-Proto",
    "content-type,x-forwarded-for",
    "forwarded",
    "content-type, Forwarded , x-a",
  ])("is refused, whatever cors says: %s", async (names) => {
    world = await startWorld({ io: reflecting, proxy: true });
    const ran: unknown[] = [];
    world.io.engine.use((request: { method: string }, _response: unknown, next: () => void) => {
      ran.push(request.method);
      next();
    });
    for (const query of ["transport=polling", "transport=polling&sid=unknown", "transport=websocket"]) {
      const { status, headers } = await rawRequest(`${world.url}/socket.io/?EIO=4&${query}`, "OPTIONS", {
        origin: page,
        "access-control-request-method": "GET",
        "access-control-request-headers": names,
      });
      expect(status).toBe(403);
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    expect(ran).toEqual([]);
  });

  test.each(["content-type", "x-forwarded", "not-forwarded,x-not-forwarded-host", ""])(
    "is distinguished from: %j",
    async (names) => {
      world = await startWorld({ io: reflecting, proxy: true });
      const { status, headers } = await rawRequest(
        `${world.url}/socket.io/?EIO=4&transport=polling`,
        "OPTIONS",
        {
          origin: page,
          "access-control-request-method": "GET",
          "access-control-request-headers": names,
        },
      );
      expect([status, headers["access-control-allow-origin"]]).toEqual([204, page]);
    },
  );
});

describe("a plain request that names a WebSocket connection", () => {
  test.each(["GET", "POST", "HEAD"])("by %s is answered", async (method) => {
    world = await startWorld();
    const ada = await world.visitor();
    const socket = await ada.connect("/", { transports: ["websocket"] });
    const url = `${world.url}/socket.io/?EIO=4&transport=websocket&sid=${socket.io.engine.id}`;
    expect((await rawRequest(url, method, { cookie: ada.cookie })).status).toBe(400);
    expect(socket.connected).toBe(true);
  });
});

describe("polls", () => {
  test("are answered as before", async () => {
    world = await startWorld({ io: { cors: { origin: page, credentials: true } }, origins: [page] });
    const ada = await world.visitor();
    const client = new RawPolling(world.url, { cookie: ada.cookie, origin: page });
    expect(await client.open()).toMatch(/^40\{/);
  });
});
