/** A page that gets states is told of a new id as its transport closes, so that it connects again without a pause. */
import type { Socket } from "socket.io-client";
import { afterEach, describe, expect, test } from "vitest";
import { connected, disconnected } from "../support/browser.ts";
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
