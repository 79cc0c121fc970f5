/** Which listeners of the engine's `connection` have a client that has proven no session yet. */
import { afterEach, expect, test } from "vitest";
import { connected, refused } from "../support/browser.ts";
import { rawPackets } from "../support/raw-client.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** The ids of the connections that a listener of the application's has seen. */
async function start(options: WorldOptions = {}): Promise<string[]> {
  world = await startWorld({
    routes: (app, sessions) => app.use("/session", sessions.routes()),
    ...options,
  });
  const seen: string[] = [];
  world.io.engine.on("connection", ({ id }: { id: string }) => seen.push(id));
  return seen;
}

const transports = [["polling"], ["websocket"]].map((names) => ({ names }));

test.each(transports)(
  "a load balancer's has it before it asks for a namespace: $names",
  async ({ names }) => {
    const seen = await start();
    const send = await rawPackets(world.url, names.join(), 4);
    expect(seen).toHaveLength(1);
    await send("0");
    await expect.poll(() => world.sessions.stats().refused.SESSION_REQUIRED).toBe(1);
  },
);

test.each(transports)("it has a client once, whatever comes of it: $names", async ({ names }) => {
  const seen = await start();
  const visitor = await world.visitor();
  const { ticket } = JSON.parse(await visitor.post("/session/ticket"));
  const options = { transports: names, reconnection: false };
  const ids = new Set<string | undefined>();
  for (const socket of [
    visitor.socket("/", options),
    world.browser().socket("/", { ...options, auth: { ticket } }),
  ]) {
    await connected(socket);
    ids.add(socket.io.engine.id);
  }
  const stranger = world.browser().socket("/", options);
  stranger.io.once("open", () => ids.add(stranger.io.engine.id));
  await refused(stranger);
  expect(seen).toEqual([...ids]);
});

test.each(transports)("a guest's as well: $names", async ({ names }) => {
  const seen = await start({ guests: "allow" });
  const guest = await world.browser().connect("/", { transports: names });
  expect(seen).toEqual([guest.io.engine.id]);
});

test("a listener that an instrumentation has wrapped waits with Socket.IO's, as they can't be told apart", async () => {
  const seen = await start();
  const { engine } = world.io;
  for (const listener of engine.rawListeners("connection")) {
    engine.off("connection", listener as () => void);
    engine.on("connection", (...args) => Reflect.apply(listener, engine, args));
  }
  const { ticket } = JSON.parse(await (await world.visitor()).post("/session/ticket"));
  await rawPackets(world.url, "websocket", 4);
  expect(seen).toEqual([]);
  const socket = world.browser().socket("/", { auth: { ticket } });
  await connected(socket);
  expect(seen).toEqual([socket.io.engine.id]);
});
