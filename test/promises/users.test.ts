import { afterEach, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { describeKinds, type StoreKind, storeKinds } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

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
  test("are listed with their device, from the login on, and no one else's", async () => {
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

  test("end all at once but the one that asks, with their sockets", async () => {
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

  test("are a user's from an update or a save on, and no longer once the data name another or none", async () => {
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
