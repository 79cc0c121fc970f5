/** Sessions that end while a connection of theirs is being upgraded: Engine.IO closes one that is closing when its upgrade ends. */
import { afterEach, expect, test } from "vitest";
import { serverSockets } from "../support/handlers.ts";
import { RawPolling } from "../support/raw-client.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** A connection whose upgrade has begun. `finish` ends it as if the client's packet had just arrived. */
async function upgrading(options: WorldOptions = {}) {
  world = await startWorld(options);
  const ada = await world.visitor({ name: "ada" });
  const polling = new RawPolling(world.url, { cookie: ada.cookie });
  await polling.open();
  const connection = serverSockets(world.io)[0]?.conn;
  if (!connection) throw new Error("no connection");
  const begun = Promise.withResolvers<{ onPacket(packet: object): void }>();
  connection.once("upgrading", begun.resolve);
  const probe = await polling.probe();
  const transport = await begun.promise;
  return { ada, polling, connection, probe, finish: () => transport.onPacket({ type: "upgrade" }) };
}

test("a page gets the reason if its upgrade ends while the dismissal waits for its turn", async () => {
  const { probe, finish } = await upgrading();
  const [socket] = serverSockets(world.io);
  for (let i = 0; i < 30; i++) {
    const other = await world.visitor({ name: "bob" });
    await other.connect("/", { transports: ["websocket"], reconnection: false });
  }
  const others = serverSockets(world.io).filter((one) => one !== socket);
  const ended = [...others, socket].map((one) => one?.session.end());
  finish();
  await Promise.all(ended);
  await probe.closed;
  expect(probe.received).toEqual(['42["session:end",{"reason":"destroyed"}]', "41"]);
});

test("after a login a connection waits for the new cookie also if its upgrade ends before", async () => {
  const answer = Promise.withResolvers<void>();
  const { ada, connection, probe, finish } = await upgrading({
    routes: (app) =>
      app.post("/slow-login", (req, res, next) =>
        req.session.regenerate(async (error) => {
          await answer.promise;
          if (error) next(error);
          else res.end();
        }),
      ),
  });
  const [socket] = serverSockets(world.io);
  const login = ada.post("/slow-login");
  await expect.poll(() => socket?.session.state).toBe("ended");
  let isClosed = false;
  void probe.closed.then(() => {
    isClosed = true;
  });
  finish();
  socket?.emit("news");
  await ada.get("/session");
  expect([isClosed, connection.readyState]).toEqual([false, "closing"]);
  answer.resolve();
  await login;
  await probe.closed;
  expect(probe.received).toEqual([]);
});

test("a page that is upgrading is closed without a word of the new id: it may fetch no second packet", async () => {
  const { ada, polling, probe } = await upgrading({ attach: { share: () => undefined } });
  const closed = (async () => {
    let body = "6";
    while (body === "6") ({ body } = await polling.send("GET")); // until it is no empty answer
    return body;
  })();
  await ada.post("/login", { name: "grace" });
  expect(await closed).toBe("1");
  await probe.closed;
  expect(probe.received).toEqual([]);
});
