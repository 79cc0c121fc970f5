/** An end says why, in the application's words: on every store, transport and kind of namespace, and on another node. */
import type { Socket } from "socket.io-client";
import { afterEach, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { describeEverywhere } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let worlds: World[] = [];
afterEach(async () => {
  for (const one of worlds) await one.close();
  worlds = [];
});

/** What the page receives with the end of its session. */
const farewell = (socket: Socket) =>
  new Promise<unknown>((resolve) => socket.once("session:end", (end) => resolve(end)));

describeEverywhere("the words of an end", ({ store, transports, namespace }) => {
  const start = async () => {
    const options = {
      store: store.open(),
      userId: ({ userId }: { readonly userId?: string }) => userId,
      sockets: (io: World["io"]) => installHandlers(io),
      revalidateIntervalMs: store.feed ? 30_000 : 50,
    };
    worlds = [await startWorld(options), await startWorld(options)];
    const [here, there] = worlds as [World, World];
    if (store.feed)
      for (const { sessions } of worlds) await expect.poll(() => sessions.stats().store.feed).toBe("whole");
    const visitor = await here.visitor({ name: "ada", userId: "ada" });
    const sockets = await Promise.all(
      [here, there].map(({ url }) => {
        return visitor.at(url).connect(namespace, { transports });
      }),
    );
    return { here, there, sockets, session: serverSockets(here.io)[0]?.session };
  };
  const message = "Your account was closed — ask Zoë. 🔒";
  type Started = Awaited<ReturnType<typeof start>>;
  const ways: [string, string, (started: Started) => Promise<unknown>][] = [
    ["session.end({ message })", "destroyed", async ({ session }) => session?.end({ message })],
    [
      "session.end({ reason, message })",
      "revoked",
      async ({ session }) => session?.end({ reason: "revoked", message }),
    ],
    [
      "sessions.end(…, { message })",
      "revoked",
      ({ here, session }) => here.sessions.end({ publicId: session?.publicId ?? "" }, { message }),
    ],
  ];
  if (store.name !== "a wrapped MemoryStore")
    ways.push([
      "user(id).end({ message })",
      "revoked",
      ({ here }) => here.sessions.user("ada").end({ message }),
    ]);

  test.each(ways)("%s reaches the pages of both nodes", async (_name, reason, end) => {
    const started = await start();
    const { sockets, session, there } = started;
    const farewells = Promise.all(sockets.map(farewell));
    const gone = Promise.all(sockets.map(disconnected));
    const heard = new Promise((resolve) => session?.once("end", (...args) => resolve(args)));
    const elsewhere = new Promise((resolve) => there.sessions.once("end", resolve));
    await end(started);
    const [own, other] = await farewells;
    expect(own).toEqual({ reason, message });
    expect(other).toEqual(store.feed ? { reason, message } : { reason: "destroyed" }); // without a feed it is found gone
    expect(await heard).toEqual([reason, message]);
    expect(await elsewhere).toMatchObject(store.feed ? { reason, message } : { reason: "destroyed" });
    expect(await gone).toEqual(["io server disconnect", "io server disconnect"]);
  });
});

test("any other argument is refused before anything ends", async () => {
  const world = await startWorld({ userId: ({ userId }) => userId, sockets: (io) => installHandlers(io) });
  worlds = [world];
  const ada = await world.visitor({ userId: "ada" });
  const socket = await ada.connect();
  const session = serverSockets(world.io)[0]?.session;
  const { sessions } = world;
  const user = sessions.user("ada");
  const wrong = ["", "x".repeat(201), "half \ud83d", 1, null, {}, ["a"]];
  for (const message of wrong) {
    const options = { message } as never;
    await expect(session?.end(options)).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await expect(sessions.end({ publicId: session?.publicId ?? "" }, options)).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
    await expect(user.end(options)).rejects.toMatchObject({ code: "INVALID_OPTION" });
  }
  for (const given of [
    { reason: "expired" },
    { mesage: "a" },
    "expired",
    null,
    [],
    Object.create({ message: "a" }),
  ]) {
    await expect(session?.end(given as never)).rejects.toMatchObject({ code: "INVALID_OPTION" });
    if (given !== "expired")
      await expect(sessions.end("any", { ...Object(given), other: 1 })).rejects.toMatchObject({
        code: "INVALID_OPTION",
      });
  }
  await expect(user.end({ publicId: "a", exceptPublicId: "b", message: "c" })).rejects.toThrow(
    "it was given both",
  );
  expect(socket.connected).toBe(true);
  expect(await socket.emitWithAck("state")).toBe("live");
});
