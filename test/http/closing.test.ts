/** A process that stops lets what it has begun finish: `Promise.all([io.close(), sessions.close()])`, as the guides write it. */
import { afterEach, expect, test } from "vitest";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { describeKinds } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** Something that tests let go. */
function gate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  return {
    reached,
    open,
    pass: () => {
      reach();
      return opened;
    },
  };
}

describeKinds("closing", (kind) => {
  test("waits for a request under way, whose save succeeds", async () => {
    const { reached, open, pass } = gate();
    world = await startWorld({
      store: kind.open(),
      routes: (app) =>
        app.post("/slow", async (req, res) => {
          await pass();
          req.session.n = 1;
          req.session.save((error?: unknown) => res.status(error ? 500 : 200).end());
        }),
    });
    const visitor = await world.visitor();
    const answer = visitor.request("/slow", { method: "POST" });
    await reached;
    const closed = Promise.all([world.io.close(), world.sessions.close()]);
    await settle();
    open();
    expect((await answer).status).toBe(200);
    await closed;
    expect(world.errors).toEqual([]);
  });

  test("waits for an update under way, which is written", async () => {
    const { reached, open, pass } = gate();
    const { promise: outcome, resolve: settled } = Promise.withResolvers<unknown>();
    world = await startWorld({
      store: kind.open(),
      sockets: (io) =>
        io.on("connection", (socket) => {
          socket.on("go", () => {
            socket.session
              .update(async (s) => {
                await pass();
                s.n = 1;
                return "written";
              })
              .then(settled, settled);
          });
        }),
    });
    const visitor = await world.visitor();
    const socket = await visitor.connect();
    socket.emit("go");
    await reached;
    const closed = world.sessions.close();
    await settle();
    open();
    expect(await outcome).toBe("written");
    await closed;
  });
});

test("gives up on a request that never ends", async () => {
  const clock = new ManualClock();
  const { reached, pass } = gate();
  world = await startWorld({ clock, routes: (app) => app.post("/slow", () => void pass()) });
  const visitor = await world.visitor();
  const answer = visitor.request("/slow", { method: "POST" }).catch(() => {});
  await reached;
  let isClosed = false;
  const closed = world.sessions.close().then(() => {
    isClosed = true;
  });
  await clock.advance(4_999);
  expect(isClosed).toBe(false);
  await clock.advance(1);
  await closed;
  world.http.closeAllConnections();
  await answer;
});
