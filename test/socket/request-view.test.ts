/** `socket.request` and `socket.handshake` for code that comes from the recipes, and the errors that it gets. */
import { inspect } from "node:util";
import type { Socket } from "socket.io";
import { afterEach, describe, expect, test } from "vitest";
import type { Browser } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { namespaceKinds, transportKinds } from "../support/matrix.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

type Data = Record<string, unknown>;
type Recipe = { session: Data & Record<string, () => void>; sessionID: unknown; sessionStore: unknown };

async function start(
  options: WorldOptions = {},
  connect: { namespace?: string; transports?: string[]; data?: Data } = {},
): Promise<{ ada: Browser; socket: Socket; request: Recipe }> {
  world = await startWorld({ sockets: (io) => installHandlers(io), ...options });
  const { namespace = "/", transports = ["websocket"], data = { name: "ada" } } = connect;
  const ada = await world.visitor(data);
  await ada.connect(namespace, { transports });
  const [socket] = serverSockets(world.io);
  if (!socket) throw new Error("no socket");
  return { ada, socket, request: socket.request as unknown as Recipe };
}

const refusal = (what: string, cure: string) =>
  expect.objectContaining({
    code: "SESSION_READ_ONLY",
    message: expect.stringMatching(new RegExp(`^${what.replaceAll(/[.()]/g, "\\$&")} .*${cure}`)),
  });

describe.each(transportKinds)("by $name", ({ transports }) => {
  describe.each(namespaceKinds)("in $name", ({ namespace }) => {
    test("reading a missing property throws, and names the replacement", async () => {
      const { socket, request } = await start({}, { namespace, transports: [...transports] });
      const { handshake } = socket as unknown as { handshake: Recipe };
      const readings: [() => unknown, string, string][] = [
        [() => request.session.id, "socket.request.session.id", "publicId"],
        [() => request.session.cookie, "socket.request.session.cookie", "expiresAt"],
        [() => request.sessionID, "socket.request.sessionID", "publicId"],
        [() => request.sessionStore, "socket.request.sessionStore", "reload\\(\\)"],
        [() => handshake.sessionID, "socket.handshake.sessionID", "publicId"],
        [() => handshake.sessionStore, "socket.handshake.sessionStore", "reload\\(\\)"],
        [() => request.session.save?.(), "socket.request.session.save()", "update\\("],
        [
          () => request.session.reload?.(),
          "socket.request.session.reload()",
          "socket\\.session\\.reload\\(\\)",
        ],
        [() => request.session.touch?.(), "socket.request.session.touch()", "each event"],
        [() => request.session.resetMaxAge?.(), "socket.request.session.resetMaxAge()", "each event"],
        [
          () => request.session.destroy?.(),
          "socket.request.session.destroy()",
          "socket\\.session\\.end\\(\\)",
        ],
        [() => request.session.regenerate?.(), "socket.request.session.regenerate()", "HTTP request"],
      ];
      for (const [read, what, cure] of readings) expect(read).toThrow(refusal(what, cure));
      expect(request.session.name).toBe("ada");
      expect(request.session.unknown).toBeUndefined();
    });
  });
});

describe("how-tos of Socket.IO, unchanged", () => {
  test.each([
    ["socket.request.session.id", ({ request }: Socket) => (request as unknown as Recipe).session.id],
    ["socket.request.sessionID", ({ request }: Socket) => (request as unknown as Recipe).sessionID],
    ["socket.handshake.sessionID", ({ handshake }: Socket) => (handshake as unknown as Recipe).sessionID],
  ])("no socket joins a shared room by %s", async (_name, roomOf) => {
    await start({
      sockets: (io) => io.on("connection", (socket) => void socket.join(roomOf(socket) as string)),
    });
    await expect.poll(() => world.errors).toHaveLength(1);
    expect(world.errors).toMatchObject([{ code: "LISTENER_FAILED", cause: { code: "SESSION_READ_ONLY" } }]);
    const [socket] = serverSockets(world.io);
    expect([...(socket?.rooms ?? [])]).toEqual([socket?.id]);
  });
});

describe("keys of the data with such a name", () => {
  test("are read like any other", async () => {
    const { socket, request } = await start();
    await socket.session.update((s) => void Object.assign(s, { id: 7, touch: "soft", reload: false }));
    expect([request.session.id, request.session.touch, request.session.reload]).toEqual([7, "soft", false]);
    expect(() => request.session.cookie).toThrow("expiresAt");
  });
});

describe("looking at a socket", () => {
  test("throws nowhere, and shows the data", async () => {
    const { socket, request } = await start();
    const { session } = request;
    expect(JSON.stringify(session)).toBe('{"name":"ada"}');
    for (const options of [{}, { showProxy: true }, { showHidden: true }, { getters: true }, { depth: 9 }]) {
      expect(inspect(session, options)).toContain("ada");
      for (const value of [socket.request, socket.handshake, socket]) inspect(value, options);
    }
    expect(["id" in session, Object.hasOwn(session, "id"), "cookie" in session]).toEqual([
      false,
      false,
      false,
    ]);
    expect([Object.keys(session), { ...session }, Object.entries(session)]).toEqual([
      ["name"],
      { name: "ada" },
      [["name", "ada"]],
    ]);
    expect(session).toEqual({ name: "ada" });
    expect(await Promise.resolve(session)).toBe(session);
    for (const value of [socket.request, socket.handshake])
      expect(Object.keys(value)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^session/)]));
    expect(() => structuredClone(socket.handshake)).not.toThrow();
    expect(() => JSON.stringify({ ...socket.handshake })).not.toThrow();
    const [remote] = await world.io.fetchSockets();
    expect(remote?.handshake.address).toBe("127.0.0.1");
    expect("sessionID" in { ...socket.request }).toBe(false);
  });
});

describe("the view", () => {
  test("has the properties of objects", async () => {
    const { socket, request } = await start({}, { data: { name: "ada", valueOf: "a key of its own" } });
    const { session } = request;
    expect([String(session), `${session}`, session.toString?.()]).toEqual(Array(3).fill("[object Object]"));
    const has: unknown = session.hasOwnProperty;
    const asked = ["name", "toString"].map((key) => typeof has === "function" && has.call(session, key));
    expect(asked).toEqual([true, false]);
    expect(["toString" in session, "name" in session, "other" in session]).toEqual([true, true, false]);
    expect([session.constructor, session.valueOf]).toEqual([Object, "a key of its own"]);
    expect(Reflect.get(session, "__proto__")).toBe(Object.prototype);
    expect(() => session.id).toThrow("publicId");
    await socket.session.update((s) => void Object.assign(s, { toString: "mine" }));
    expect(session.toString).toBe("mine");
  });

  test.each<[string, (request: Recipe) => Recipe]>([
    ["an object that inherits from the request", (request) => Object.create(request)],
    ["a proxy of the request", (request) => new Proxy(request, {})],
  ])("is found through %s", async (_name, wrap) => {
    const { request } = await start();
    expect(wrap(request).session.name).toBe("ada");
  });

  test.each<[string, (view: object) => unknown]>([
    ["frozen", Object.freeze],
    ["sealed", Object.seal],
    ["closed", Object.preventExtensions],
    ["given a prototype", (view) => Object.setPrototypeOf(view, { other: 1 })],
  ])("can't be %s, and shows the data all the same", async (_name, change) => {
    const { socket, request } = await start();
    const { session } = request;
    expect(() => change(session)).toThrow(TypeError);
    await socket.session.update((s) => void Object.assign(s, { n: 1 }));
    expect([JSON.stringify(session), { ...session }, inspect(session)]).toEqual([
      '{"name":"ada","n":1}',
      { name: "ada", n: 1 },
      "{ name: 'ada', n: 1 }",
    ]);
    expect([Object.isFrozen(session), Object.getPrototypeOf(session)]).toEqual([false, Object.prototype]);
  });
});

describe("a session of another package", () => {
  test("on a handshake or request finds its properties there", async () => {
    const { socket } = await start();
    for (const bearer of [socket.handshake, socket.request]) {
      Object.assign(bearer, { sessionID: "its own", sessionStore: "store" });
      expect(bearer).toMatchObject({ sessionID: "its own", sessionStore: "store" });
    }
  });

  test("in an exempt namespace finds nothing in its way", async () => {
    const { socket } = await start(
      { attach: { exempt: ["/admin"] } },
      { namespace: "/admin", transports: ["websocket"] },
    );
    expect(socket.handshake).toMatchObject({ address: "127.0.0.1" });
    expect([Reflect.get(socket.handshake, "sessionID"), Reflect.get(socket.handshake, "session")]).toEqual([
      undefined,
      undefined,
    ]);
  });
});
