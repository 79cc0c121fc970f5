import { afterEach, expect, test } from "vitest";
import { serverSockets } from "../support/handlers.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

test.each(["update", "reload"] as const)(
  "a first change listener gets each change with the data before it, however long ago the handle's last %s was",
  async (method) => {
    world = await startWorld();
    const ada = await world.visitor({ name: "ada" });
    await ada.connect();
    const [socket] = serverSockets(world.io);
    const name = (to: string) => ada.post("/write", { name: to });
    if (method === "update") await socket?.session.update((s) => void Object.assign(s, { name: "b" }));
    else await name("b").then(() => socket?.session.reload());
    await name("c");
    const changes: unknown[] = [];
    socket?.session.on("change", (data, previous) => changes.push([previous.name, data.name]));
    await name("b");
    await name("d");
    expect(changes).toEqual([
      ["c", "b"],
      ["b", "d"],
    ]);
  },
);
