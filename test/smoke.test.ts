import { afterEach, expect, test } from "vitest";
import { disconnected, refused } from "./support/browser.ts";
import { startWorld, type World } from "./support/world.ts";

let world: World;
afterEach(() => world.close());

for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
  test(`smoke ${transports}`, async () => {
    world = await startWorld({
      sockets: (io) => {
        io.on("connection", (socket) => {
          socket.on("name", (ack) => ack(socket.session.data.name));
          socket.on("rename", async (name, ack) => {
            await socket.session.update((s) => {
              s.name = name;
            });
            ack("ok");
          });
        });
      },
    });
    const stranger = world.browser();
    expect((await refused(stranger.socket("/", { transports }))).data).toEqual({ code: "SESSION_REQUIRED" });
    const ada = await world.visitor();
    const socket = await ada.connect("/", { transports });
    expect(await socket.emitWithAck("name")).toBe("ada");
    await ada.post("/write", { name: "lovelace" });
    expect(await socket.emitWithAck("name")).toBe("lovelace");
    await socket.emitWithAck("rename", "augusta");
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "augusta" });
    const gone = disconnected(socket);
    await ada.post("/logout");
    expect(await gone).toBe("io server disconnect");
    expect(world.errors).toEqual([]);
  });
}
