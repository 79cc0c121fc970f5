/** Exempt namespaces with their own origins: their pages get these namespaces, and neither a session nor any other namespace. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Browser, connected, refused } from "../support/browser.ts";
import { serverSockets } from "../support/handlers.ts";
import { transportKinds } from "../support/matrix.ts";
import { RawPolling, rawUpgrade } from "../support/raw-client.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

const adminUi = "https://console.example";
const rooms = "https://rooms.example";
const byFunction = "https://function.example";
const listed = "https://listed.example";
const foreign = "https://foreign.example";

let world: World;
let ran: string[];
let events: unknown[];
beforeEach(() => {
  ran = [];
  events = [];
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(async () => {
  await world.close();
  vi.restoreAllMocks();
});

const exempt = [
  "/free",
  { namespace: "/admin", origins: [adminUi] },
  { namespace: /^\/room-\d+$/, origins: [rooms, adminUi] },
  { namespace: "/later", origins: async (origin: string) => origin === byFunction },
];

async function start(options: WorldOptions = {}): Promise<Browser> {
  world = await startWorld({
    origins: [listed],
    io: { cors: { origin: true, credentials: true }, allowEIO3: true },
    attach: { exempt },
    sockets: (io) => {
      for (const namespace of ["/", "/admin", "/free", "/later", "/other", /^\/room-\d+$/]) {
        io.of(namespace).on("connection", (socket) => {
          ran.push(socket.nsp.name);
          socket.on("state", (done) => done([socket.session.state, { ...socket.session.data }]));
          socket.on("request", (done) => done(JSON.stringify(Reflect.get(socket.request, "session"))));
        });
      }
    },
    ...options,
  });
  world.sessions.on("refuse", ({ code, origin }) => events.push([code, origin]));
  return world.visitor();
}

describe.each(transportKinds)("by $name", (kind) => {
  const transports = [...kind.transports];
  const open = (ada: Browser, namespace: string, origin: string) =>
    ada.socket(namespace, { transports, extraHeaders: { cookie: ada.cookie, origin } });

  test.each([
    [adminUi, "/admin"],
    [adminUi, "/room-7"],
    [rooms, "/room-7"],
    [byFunction, "/later"],
  ])("a page of %s is a guest in %s, whatever its cookie", async (origin, namespace) => {
    const ada = await start();
    const socket = open(ada, namespace, origin);
    await connected(socket);
    if (transports.length > 1) await upgraded(socket);
    expect(await socket.emitWithAck("state")).toEqual(["guest", {}]);
    expect(await socket.emitWithAck("request")).toBe("{}");
    expect(ran).toEqual([namespace]);
    expect([events, world.sessions.stats().live]).toEqual([[], 0]);
  });

  test.each([
    [adminUi, "/"],
    [adminUi, "/other"],
    [adminUi, "/free"],
    [adminUi, "/later"],
    [rooms, "/admin"],
    [byFunction, "/room-7"],
  ])("a page of %s is refused %s, stops there, and keeps what it has", async (origin, namespace) => {
    const own = origin === adminUi ? "/room-7" : origin === rooms ? "/room-8" : "/later";
    const ada = await start();
    const socket = open(ada, own, origin);
    await connected(socket);
    const second = socket.io.socket(namespace);
    expect((await refused(second)).data).toEqual({ code: "ORIGIN_REFUSED" });
    expect([second.active, socket.connected, ran]).toEqual([false, true, [own]]);
    expect(events).toEqual([["ORIGIN_REFUSED", origin]]);
    expect(world.sessions.stats().refused.ORIGIN_REFUSED).toBe(1);
  });

  test("other pages are still refused, and pages that are admitted may use all", async () => {
    const ada = await start();
    const attempt = open(ada, "/admin", foreign);
    expect((await refused(attempt)).data).toBeUndefined();
    attempt.disconnect();
    for (const origin of [listed, world.url]) {
      const socket = open(ada, "/admin", origin);
      await connected(socket);
      expect(await socket.emitWithAck("state")).toEqual(["live", { name: "ada" }]);
      await connected(socket.io.socket("/later"));
      await connected(socket.io.socket("/"));
    }
  });

  test("stays when the visitor of the same browser logs out, or in as another user", async () => {
    const ada = await start();
    const options = {
      transports,
      extraHeaders: Object.defineProperty({ origin: adminUi }, "cookie", {
        enumerable: true,
        get: () => ada.cookie,
      }),
    };
    const socket = await ada.connect("/admin", options as never);
    await ada.post("/logout");
    await ada.post("/login", { name: "eve" });
    for (let n = 0; n < 3; n++) expect(await socket.emitWithAck("state")).toEqual(["guest", {}]);
    expect([socket.connected, serverSockets(world.io)]).toEqual([true, [expect.anything()]]);
  });
});

describe("requests", () => {
  const query = (sid: string) => `EIO=4&transport=websocket&sid=${sid}`;

  test("of a page that may only use exempt namespaces take over no connection of another", async () => {
    const ada = await start();
    const own = new RawPolling(world.url, { cookie: ada.cookie, origin: world.url });
    await own.open();
    const others = { cookie: ada.cookie, origin: adminUi };
    expect((await own.send("GET", undefined, others)).status).toBe(403);
    expect((await own.send("POST", '42["forged"]', others)).status).toBe(403);
    expect(await rawUpgrade(world.url, others, query(own.sid))).toBe("HTTP/1.1 403 Forbidden");
  });

  test("of another page take over none of its connections", async () => {
    const ada = await start();
    const admin = new RawPolling(world.url, { origin: adminUi });
    await admin.open();
    for (const origin of [foreign, rooms, "null"]) {
      const headers = { cookie: ada.cookie, origin };
      expect((await admin.send("GET", undefined, headers)).status).toBe(403);
      expect(await rawUpgrade(world.url, headers, query(admin.sid))).toBe("HTTP/1.1 403 Forbidden");
    }
    expect((await admin.send("POST", "40/admin,")).status).toBe(200);
  });

  test("without an origin, as from native clients, get no more than before", async () => {
    await start();
    const client = new RawPolling(world.url, {});
    expect(await client.open()).toContain("SESSION_REQUIRED");
    await client.send("POST", "40/admin,");
    expect((await client.send("GET")).body).toMatch(/^40\/admin,/);
  });

  test("of clients of revision 3, which join the main namespace without asking, are refused that", async () => {
    const ada = await start();
    const url = `${world.url}/socket.io/?EIO=3&transport=polling`;
    const headers = { cookie: ada.cookie, origin: adminUi };
    const opened = await (await fetch(url, { headers })).text();
    const { sid } = JSON.parse(opened.slice(opened.indexOf("{"), opened.indexOf("}") + 1));
    expect(await (await fetch(`${url}&sid=${sid}`, { headers })).text()).toContain(
      '{"code":"ORIGIN_REFUSED"}',
    );
    expect(ran).toEqual([]);
  });
});

test("guests of the main namespace open no way in for such a page", async () => {
  const ada = await start({ guests: "allow" });
  const socket = ada.socket("/", { extraHeaders: { cookie: ada.cookie, origin: adminUi } });
  expect((await refused(socket)).data).toEqual({ code: "ORIGIN_REFUSED" });
  expect(ran).toEqual([]);
});
