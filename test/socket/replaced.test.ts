/** A page that gets states receives `replaced` as its transport closes, so that it connects again without a pause. */
import type { Socket } from "socket.io-client";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { connected, disconnected } from "../support/browser.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawPolling } from "../support/raw-client.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** All that a socket sees, in order. */
function followed(socket: Socket): unknown[] {
  const seen: unknown[] = [];
  socket.on("session:end", (end) => seen.push(end));
  socket.on("disconnect", () => seen.push(socket.active ? "reconnects" : "stops"));
  socket.on("connect", () => seen.push("connected"));
  return seen;
}

describe.each([[["polling"]], [["websocket"]]])("by %j", (transports) => {
  test.each([
    ["with share", { share: () => undefined }, [{ reason: "replaced" }]],
    ["without share", {}, []],
  ])("%s, in each namespace, after a login", async (_how, attach, ends) => {
    world = await startWorld({ attach, sockets: (io) => void io.of("/other").on("connection", () => {}) });
    const ada = await world.visitor();
    const one = ada.socket("/", { transports });
    const other = one.io.socket("/other");
    const seen = [followed(one), followed(other)];
    await Promise.all([connected(one), connected(other)]);
    const gone = Promise.all([disconnected(one), disconnected(other)]);
    await ada.post("/login", { name: "grace" });
    await gone;
    await Promise.all([connected(one), connected(other)]);
    for (const events of seen) expect(events).toEqual(["connected", ...ends, "reconnects", "connected"]);
  });
});

test("a socket of the old id gets nothing else", async () => {
  world = await startWorld({ attach: { share: ({ name }) => ({ name }) } });
  const ada = await world.visitor();
  const socket = await ada.connect("/", { transports: ["websocket"] });
  const events: unknown[][] = [];
  socket.onAny((...event) => events.push(event));
  const gone = disconnected(socket);
  await ada.post("/login", { name: "grace" });
  world.io.emit("secret");
  await gone;
  const others = events.filter(([event]) => event !== "session:state");
  expect(others).toEqual([["session:end", { reason: "replaced" }]]);
});

test("a client that polls late receives it once", async () => {
  const clock = new ManualClock();
  const attach = { share: () => undefined };
  world = await startWorld({ attach, clock, store: memoryStore({ clock }), rebindMs: 1_000 });
  const ada = await world.visitor();
  const raw = new RawPolling(world.url, { cookie: ada.cookie });
  await raw.open();
  await ada.post("/login", { name: "grace" });
  await clock.advance(1_500); // longer than it waits for the response, and shorter than for the client's poll
  const { body } = await raw.send("GET");
  expect(body.match(/session:end/g)).toHaveLength(1);
});
