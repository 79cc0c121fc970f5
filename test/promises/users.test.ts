import type { LiveSessionsOptions, SessionStore } from "socket-session";
import { afterEach, describe, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { describeKinds, type StoreKind, storeKinds } from "../support/matrix.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
let other: World | undefined;
afterEach(async () => {
  await other?.close();
  other = undefined;
  await world.close();
});

const start = async (open: StoreKind["open"]) => {
  world = await startWorld({
    store: open(),
    userId: (data) => data.userId,
    device: (data) => data.name,
    cookie: { maxAge: 3_600_000 },
    sockets: (io) => installHandlers(io),
  });
};

const listing = storeKinds.filter(({ feed }) => feed);

function stories({ open }: StoreKind): void {
  test("are listed with their device, from the login on, and no other user's", async () => {
    await start(open);
    const before = Date.now();
    const phone = await world.visitor({ userId: "ada", name: "phone" });
    await world.visitor({ userId: "eve", name: "laptop" });
    await world.visitor({ name: "nobody" });
    const laptop = await world.visitor({ userId: "ada", name: "laptop" });
    const socket = await laptop.connect("/");
    const list = await world.sessions.user("ada").list();
    expect(list.map(({ device }) => device).sort()).toEqual(["laptop", "phone"]);
    for (const one of list) {
      for (const time of [one.createdAt, one.lastSeenAt]) {
        expect(time).toBeGreaterThanOrEqual(before - 1000);
        expect(time).toBeLessThanOrEqual(Date.now() + 1000);
      }
      expect(Math.abs(one.expiresAt - (before + 3_600_000))).toBeLessThan(60_000);
    }
    expect(JSON.stringify(list)).not.toContain(JSON.parse(await phone.get("/session")).id);
    await phone.post("/logout");
    expect((await world.sessions.user("ada").list()).map(({ device }) => device)).toEqual(["laptop"]);
    expect(await socket.emitWithAck("state")).toBe("live");
  });

  test("end all at once except the caller's, with their sockets", async () => {
    await start(open);
    const here = await world.visitor({ userId: "ada", name: "here" });
    const there = await world.visitor({ userId: "ada", name: "there" });
    const eve = await world.visitor({ userId: "eve" });
    const sockets = await Promise.all([here, there, eve].map((visitor) => visitor.connect("/")));
    const gone = disconnected(sockets[1] as (typeof sockets)[number]);
    const own = (await world.sessions.user("ada").list()).find(({ device }) => device === "here");
    const exceptPublicId = own?.publicId ?? "";
    expect(await world.sessions.user("ada").end({ exceptPublicId })).toBe(1);
    expect(await gone).toBe("io server disconnect");
    expect(await sockets[0]?.emitWithAck("state")).toBe("live");
    expect(await sockets[2]?.emitWithAck("state")).toBe("live");
    expect(JSON.parse(await there.get("/session")).data).toEqual({});
    expect(await world.sessions.user("ada").end()).toBe(1);
    expect(await world.sessions.user("ada").list()).toEqual([]);
    expect(JSON.parse(await eve.get("/session")).data).toEqual({ userId: "eve" });
  });

  test("are a user's from an update or a save on, and no longer once the data names another or none", async () => {
    await start(open);
    const visitor = await world.visitor({ name: "late" });
    expect(await world.sessions.user("ada").list()).toEqual([]);
    await visitor.post("/write", { userId: "ada" });
    expect(await world.sessions.user("ada").list()).toHaveLength(1);
    await visitor.post("/write", { userId: "eve" });
    expect(await world.sessions.user("ada").list()).toEqual([]);
    expect(await world.sessions.user("eve").list()).toHaveLength(1);
    await visitor.post("/write", { userId: null });
    expect(await world.sessions.user("eve").end()).toBe(0);
    expect(JSON.parse(await visitor.get("/session")).data).toMatchObject({ name: "late" });
  });

  test("end one by its public id: live here, live on another node, live nowhere, and unreadable", async () => {
    const store = open();
    const options: WorldOptions = {
      store,
      userId: (data) => data.userId,
      device: (data) => data.name,
      sockets: (io) => installHandlers(io),
    };
    world = await startWorld(options);
    other = await startWorld(options);
    const here = await world.visitor({ userId: "ada", name: "here" });
    const elsewhere = await other.visitor({ userId: "ada", name: "elsewhere" });
    const nowhere = await world.visitor({ userId: "ada", name: "nowhere" });
    const damaged = await world.visitor({ userId: "ada", name: "damaged" });
    const eve = await world.visitor({ userId: "eve", name: "eve" });
    const sockets = [await here.connect("/"), await elsewhere.connect("/"), await eve.connect("/")] as const;
    const gone = sockets.map(disconnected);
    const devices = async () =>
      (await world.sessions.user("ada").list()).map(({ device }) => String(device)).sort();
    const publicIds = new Map(
      [...(await world.sessions.user("ada").list()), ...(await world.sessions.user("eve").list())].map(
        ({ device, publicId }) => [device, publicId],
      ),
    );
    const end = (device: string) =>
      world.sessions.user("ada").end({ publicId: publicIds.get(device) ?? "none" });

    expect(await end("eve")).toBe(0);
    expect(await world.sessions.user("ada").end({ publicId: "unknown" })).toBe(0);
    expect(await devices()).toEqual(["damaged", "elsewhere", "here", "nowhere"]);
    expect(await end("elsewhere")).toBe(1);
    expect(await gone[1]).toBe("io server disconnect");
    expect(await end("elsewhere")).toBe(0);
    expect(await devices()).toEqual(["damaged", "here", "nowhere"]);
    expect(await end("nowhere")).toBe(1);
    expect(JSON.parse(await nowhere.get("/session")).data).toEqual({});
    const readable = damageIn(store, JSON.parse(await damaged.get("/session")).id);
    expect(await devices()).toEqual(["here"]);
    expect(await end("damaged")).toBe(1);
    readable();
    expect(await devices()).toEqual(["here"]);
    expect(await sockets[0].emitWithAck("state")).toBe("live");
    expect(await end("here")).toBe(1);
    expect(await gone[0]).toBe("io server disconnect");
    expect(await devices()).toEqual([]);
    expect(await sockets[2].emitWithAck("state")).toBe("live");
    expect([...world.errors, ...other.errors]).toEqual([]);
  });

  test("end none if the options are wrong", async () => {
    await start(open);
    const ada = await world.visitor({ userId: "ada", name: "here" });
    const socket = await ada.connect("/");
    const { publicId = "" } = (await world.sessions.user("ada").list())[0] ?? {};
    for (const options of [
      { publicID: publicId },
      { publicId: undefined },
      { exceptPublicId: undefined },
      { publicId: [publicId] },
      { publicId: "" },
      { exceptPublicId: "" },
      { publicId, exceptPublicId: publicId },
      { sid: undefined },
      Object.create({ publicId }),
      new Map([["publicId", publicId]]),
      new URLSearchParams({ publicId }),
      Promise.resolve({ publicId }),
      publicId,
      null,
      [],
      7,
    ])
      await expect(world.sessions.user("ada").end(options as never)).rejects.toMatchObject({
        code: "INVALID_OPTION",
      });
    expect(await socket.emitWithAck("state")).toBe("live");
    expect(await world.sessions.user("ada").list()).toHaveLength(1);
  });

  test("are listed and ended whatever one of them holds", async () => {
    const store = open();
    world = await startWorld({ store, userId: (data) => data.userId });
    const ada = await world.visitor({ userId: "ada" });
    const document = { cookie: {}, userId: "ada", count: 1n }; // as drivers may read a long integer
    const { listByUser } = store as SessionStore;
    const stored = { document, expiresAt: Date.now() + 3_600_000, revision: "1" };
    Object.assign(store, {
      listByUser: async (user: string) => [
        { sid: "odd", since: 0, stored },
        ...((await listByUser?.call(store, user)) ?? []),
      ],
    });
    expect(await world.sessions.user("ada").list()).toHaveLength(1);
    expect(await world.sessions.user("ada").end()).toBe(1);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({});
  });

  test("are not those of all others whose userId is an object too, even if they were indexed as such before", async () => {
    const store = open();
    const index = "[object Object]";
    const now = Date.now();
    const key = { sid: "of before", publicId: "p", publicIds: ["p"] };
    if ("create" in store)
      await store.create(key, { cookie: {}, passport: { user: "ada" } }, now + 3_600_000, index);
    const passport = (user: unknown) => ({ passport: { user } });
    world = await startWorld({
      store,
      userId: (data) => data.passport?.user,
      sockets: (io) =>
        installHandlers(io, (socket) => socket.on("user", (done) => done(socket.session.userId ?? null))),
    });
    const ada = await world.visitor(passport({ id: "ada" }));
    const eve = await world.visitor(passport({ id: "eve" }));
    const socket = await eve.connect("/");
    expect(await socket.emitWithAck("user")).toBeNull();
    expect(await world.sessions.user(index).list()).toEqual([]);
    expect(await world.sessions.user(index).end()).toBe(0);
    expect(await socket.emitWithAck("state")).toBe("live");
    expect(JSON.parse(await ada.get("/session")).data).toEqual(passport({ id: "ada" }));
    expect(world.errors).toEqual([
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining("`userId`") }),
    ]);
    await ada.post("/write", passport("ada"));
    expect(await world.sessions.user("ada").list()).toHaveLength(1);
  });
}

/** What the index then lists can't be read; the returned function undoes it. */
function damageIn(store: LiveSessionsOptions["store"], damaged: string): () => void {
  if (!("listByUser" in store) || !store.listByUser) throw new Error("Expected a store with an index.");
  const { listByUser } = store;
  store.listByUser = async (user) =>
    (await listByUser.call(store, user)).map((one) => (one.sid === damaged ? { ...one, stored: null } : one));
  return () => {
    store.listByUser = listByUser;
  };
}

describeKinds("the sessions of a user", stories, listing);

test("a store without an index, and sessions without the userId option, say so", async () => {
  const wrapped = storeKinds.find(({ feed }) => !feed);
  world = await startWorld({ ...(wrapped ? { store: wrapped.open() } : {}), userId: (data) => data.userId });
  expect(() => world.sessions.user("ada")).toThrow(expect.objectContaining({ code: "STORE_UNSUPPORTED" }));
  const anonymous = await startWorld();
  expect(() => anonymous.sessions.user("ada")).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  await anonymous.close();
});

describe("the user of a session", () => {
  const start = async (userId: (data: never) => unknown) => {
    world = await startWorld({ userId: userId as never, sockets: (io) => installHandlers(io) });
    const ada = await world.visitor({ name: "ada" });
    await ada.connect("/");
    const [socket] = serverSockets(world.io);
    await ada.post("/write", { n: 1 });
    return socket?.session.userId;
  };

  const trap = (): never => {
    throw new Error("a trap");
  };
  const unreadable = (value: object, key: string) => Object.defineProperty(value, key, { get: trap });

  test.each([
    ["a text", "ada", "ada"],
    ["text that looks like a number", "1", "1"],
    ["a number, which is the same user", 1, "1"],
    ["zero", 0, "0"],
    ["nothing", undefined, undefined],
    ["null", null, undefined],
    ["an empty text, which is nobody's", "", undefined],
  ])("%s", async (_name, value, user) => {
    expect(await start(() => value)).toBe(user);
    expect(world.errors).toEqual([]);
  });

  test.each<[string, () => unknown, string]>([
    ["an object", () => ({ id: "ada" }), "an object of Object"],
    ["one with a text of its own", () => ({ toString: () => "ada" }), "an object of Object"],
    ["one without a prototype", () => Object.create(null), "an object of no class"],
    ["an array", () => ["ada"], "an array"],
    ["a Date", () => new Date(), "an object of Date"],
    ["a promise", async () => "ada", "an object of Promise"],
    [
      "a promise that rejects",
      async () => {
        throw new Error("no such user");
      },
      "an object of Promise",
    ],
    [
      "a promise that can't be awaited",
      () => unreadable(Promise.resolve("ada"), "constructor"),
      "an object of Promise",
    ],
    ["a thenable that can't be awaited", () => unreadable({}, "then"), "an object of Object"],
    ["a proxy that can't be read", () => new Proxy({}, { get: trap, getPrototypeOf: trap }), "an object"],
    ["NaN", () => Number.NaN, "a number"],
    ["Infinity", () => Number.POSITIVE_INFINITY, "a number"],
    ["a number that is rounded, as two users would be one", () => 2 ** 53, "a number"],
    ["a bigint", () => 1n, "a bigint"],
    ["a boolean", () => true, "true"],
    ["a symbol", () => Symbol("ada"), "a symbol"],
    ["a function", () => () => "ada", "a function"],
  ])("%s is no user, and is reported once", async (_name, userId, shown) => {
    expect(await start(userId)).toBeUndefined();
    expect(world.errors).toEqual([expect.objectContaining({ code: "INVALID_OPTION" })]);
    expect(String(world.errors[0])).toContain(`it was ${shown}. Return`);
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["an empty text", ""],
    ["NaN", Number.NaN],
    ["an object", { id: "ada" }],
    ["an array", ["ada"]],
    ["a boolean", false],
    ["a bigint", 1n],
    ["a promise", Promise.resolve("ada")],
  ])("sessions.user() refuses %s", async (_name, id) => {
    world = await startWorld({ userId: (data) => data.userId });
    expect(() => world.sessions.user(id as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  });

  test("a device option that throws, or is asynchronous, hides no session", async () => {
    world = await startWorld({
      userId: (data) => data.userId,
      device: async (data) => data.nested?.deep.value.toFixed() ?? data.list?.[0]?.toFixed(),
    });
    await world.visitor({ userId: "ada", list: [7] });
    await world.visitor({ userId: "ada", nested: { deep: {} } });
    const list = await world.sessions.user("ada").list();
    expect(list.map(({ device }) => device)).toEqual(expect.arrayContaining(["7", undefined]));
    expect(list).toHaveLength(2);
    expect(world.errors).toEqual([expect.objectContaining({ code: "LISTENER_FAILED" })]);
  });
});
