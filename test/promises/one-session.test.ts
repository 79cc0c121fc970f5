import { afterEach, beforeEach, expect, test } from "vitest";
import { installHandlers } from "../support/handlers.ts";
import { describeEverywhere } from "../support/matrix.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";

describeEverywhere("one session", ({ store, transports, namespace }) => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld({ store: store.open(), sockets: (io) => installHandlers(io) });
  });
  afterEach(() => world.close());

  test("the next event reads what a request writes, and the next request what a handler writes", async () => {
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect(namespace, { transports });
    await upgraded(socket);
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    await ada.post("/write", { name: "lovelace", list: [1] });
    expect(await socket.emitWithAck("read")).toEqual({ name: "lovelace", list: [1] });
    expect(await socket.emitWithAck("increment")).toBe(1);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "lovelace", list: [1], n: 1 });
    expect(await ada.post("/update")).toBe("2");
    expect(await socket.emitWithAck("read")).toEqual({ name: "lovelace", list: [1], n: 2 });
    expect(world.errors).toEqual([]);
  });

  test("the end event has the reason, and comes once", async () => {
    const told: unknown[] = [];
    world.io.of(namespace).on("connection", ({ session }) => {
      session.on("end", (reason) => told.push([reason, session.state]));
    });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect(namespace, { transports });
    await socket.emitWithAck("read");
    await ada.post("/logout");
    expect(told).toEqual([["destroyed", "ended"]]);
  });

  test("the change event reports it, with the data before", async () => {
    const changes: unknown[] = [];
    world.io.of(namespace).on("connection", (socket) => {
      socket.session.on("change", () => {
        throw new Error("a listener that throws");
      });
      socket.session.on("change", (data, previous) => changes.push([data.name, previous.name]));
    });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect(namespace, { transports });
    await ada.post("/write", { name: "lovelace" });
    await socket.emitWithAck("read");
    expect(changes).toEqual([["lovelace", "ada"]]);
    expect(world.errors).toMatchObject([{ cause: new Error("a listener that throws") }]);
  });
});
