/** `sessions.endAll()`: everybody out, live or not, on every store that can list. */
import { memoryStore } from "socket-session/memory";
import { signIn } from "socket-session/testing";
import { afterEach, describe, expect, test } from "vitest";
import { coreOf } from "../../src/core.ts";
import { endAll } from "../../src/end-all.ts";
import { Actors } from "../../src/live/actors.ts";
import { resolveOptions } from "../../src/options/options.ts";
import { disconnected } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { describeEverywhere } from "../support/matrix.ts";
import { secret, startWorld, type World, type WorldOptions } from "../support/world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const one of worlds.splice(0)) await one.close();
});

const start = async (options: WorldOptions = {}) => {
  const world = await startWorld({ sockets: (io) => installHandlers(io), ...options });
  worlds.push(world);
  return world;
};

describeEverywhere("sessions.endAll", ({ store, transports, namespace }) => {
  test("ends sessions on both nodes, and those that are live nowhere, but the excepted ones", async () => {
    const shared = { store: store.open(), revalidateIntervalMs: store.feed ? 30_000 : 50 };
    const [here, there] = [await start(shared), await start(shared)];
    if (store.feed)
      for (const { sessions } of worlds) await expect.poll(() => sessions.stats().store.feed).toBe("whole");
    const [admin, ada] = [await here.visitor({ name: "admin" }), await here.visitor({ name: "ada" })];
    const adminSocket = await admin.connect(namespace, { transports });
    const sockets = [
      await ada.connect(namespace, { transports }),
      await ada.at(there.url).connect(namespace, { transports }),
    ];
    await signIn(here.sessions, { name: "live nowhere" });
    const publicId = serverSockets(here.io)
      .map(({ session }) => session)
      .find(({ data }) => data.name === "admin")?.publicId;
    const farewells = sockets.map((socket) => new Promise((resolve) => socket.once("session:end", resolve)));
    const gone = Promise.all(sockets.map(disconnected));
    const message = "We are closing for the night.";
    expect(await here.sessions.endAll({ exceptPublicIds: [publicId ?? ""], message })).toBe(2);
    expect(await gone).toEqual(["io server disconnect", "io server disconnect"]);
    const [own, other] = await Promise.all(farewells);
    expect(own).toEqual({ reason: "revoked", message });
    expect(other).toEqual(store.feed ? own : { reason: "destroyed" });
    expect(await adminSocket.emitWithAck("read")).toEqual({ name: "admin" });
    expect(JSON.parse(await ada.get("/session")).data).toEqual({});
    expect(await here.sessions.endAll()).toBe(1);
    expect(await here.sessions.endAll()).toBe(0);
  });
});

describe("which sessions", () => {
  test("ids are hashed of those only that end, or that an exception may be meant for", async () => {
    const options = resolveOptions({ store: memoryStore(), secret });
    const actors = new Actors(() => false);
    const none = () => {};
    const events = { changed: none, ended: none, stored: none, failed: none, feed: none };
    const core = coreOf(options, () => undefined, { actors, events });
    const hashed: string[] = [];
    const nameOf = (sid: string) => ({
      sid,
      publicId: sid,
      get publicIds() {
        hashed.push(sid);
        return [sid];
      },
    });
    for (const sid of ["ada", "bob", "eve"])
      await options.store.create(core.nameOf(sid), { cookie: {}, name: sid }, Date.now() + 60_000);
    const isBob = ({ name }: { readonly name?: string }) => name === "bob";
    await endAll({ ...core, nameOf }, { where: () => false }, []);
    await endAll({ ...core, nameOf }, { where: isBob, exceptPublicIds: ["bob"] }, []);
    expect(hashed).toEqual(["bob"]);
    await core.hub.close();
  });

  test("where: those whose data satisfy it; if it throws, none", async () => {
    const { sessions } = await start();
    for (const name of ["ada", "bob", "eve"]) await signIn(sessions, { name });
    const failing = sessions.endAll({
      where: ({ name }) => {
        if (name === "eve") throw new Error("where");
        return true;
      },
    });
    await expect(failing).rejects.toThrow("where");
    expect(await sessions.endAll({ where: (() => "yes") as never })).toBe(0);
    expect(await sessions.endAll({ where: ({ name }) => name !== "bob" })).toBe(2);
    expect(await sessions.endAll()).toBe(1);
  });

  test("before: those that were made before, or at a time that is not known", async () => {
    const clock = new ManualClock();
    const { sessions } = await start({ clock, absoluteMs: 1e9 });
    await signIn(sessions, { name: "early" });
    await clock.advance(1_000);
    const between = clock.now();
    await signIn(sessions, { name: "late" });
    expect(await sessions.endAll({ before: between })).toBe(1);
    expect(await sessions.endAll({ before: between + 1 })).toBe(1);
  });

  test("anything else is refused before one ends", async () => {
    const { sessions } = await start();
    await signIn(sessions, { name: "ada" });
    const wrong = [
      ...[null, [], "all", 1, () => true, { were: () => true }, { where: true }, { where: undefined }],
      ...[
        { before: 1 },
        { before: new Date() },
        { exceptPublicIds: "a" },
        { exceptPublicIds: [""] },
        { message: "" },
      ],
    ];
    for (const options of wrong)
      await expect(sessions.endAll(options as never)).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await expect(Reflect.apply(sessions.endAll, sessions, [{}, {}])).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
    await expect(sessions.endAll({ before: 1 })).rejects.toThrow("the option `absoluteMs`");
    expect(await sessions.endAll()).toBe(1);
  });
});
