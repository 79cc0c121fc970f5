/** The events of life cycles that rules cause. */
import type { LiveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import { disconnected, refused } from "./support/browser.ts";
import { installHandlers } from "./support/handlers.ts";
import { followLifecycle } from "./support/lifecycle.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { startWorld, type World, type WorldOptions } from "./support/world.ts";

let world: World;
afterEach(() => world.close());

const publicIdOf = async (user: string) => (await world.sessions.user(user).list())[0]?.publicId;

/** Only editors with a recent login get into `/edit`, and only editors into the room `editors` and to the path `/edit`. */
async function startRuled(more: WorldOptions = {}) {
  const held: (() => void)[] = [];
  const since = (more.clock ?? systemClock).now();
  const rulesOf = (sessions: LiveSessions) => ({
    isEditor: sessions.require(({ name }) => name === "editor", { code: "NO_EDITOR" }),
    isRecent: sessions.require(() => true, { withinMs: 60_000, since: () => since }),
  });
  world = await startWorld({
    ...more,
    userId: (data) => data.userId,
    sockets(io, sessions) {
      const { isEditor, isRecent } = rulesOf(sessions);
      io.of("/edit").use(isEditor).use(isRecent);
      io.of("/late")
        .use(isEditor)
        .use((_socket, next) => void held.push(next))
        .use(isRecent);
      io.of(/^\/edit-/).use(isEditor);
      installHandlers(io, (socket) => {
        socket.on("join", (done) => done(isEditor.room(socket, "editors")));
        socket.on("join room", (room, done) => done(isEditor.room(socket, room)));
      });
    },
    routes: (app, sessions) => void app.use("/edit", rulesOf(sessions).isEditor),
  });
  return { ...followLifecycle(world.sessions), held };
}

describe("a rule logs", () => {
  test("a request that a rule refuses: with its path, and without the query string", async () => {
    const { events } = await startRuled();
    const eve = await world.visitor({ userId: "eve" });
    const publicId = await publicIdOf("eve");
    events.splice(0);
    expect((await eve.request("/edit/7?token=secret")).status).toBe(403);
    expect(events).toEqual([
      {
        type: "forbidden",
        at: expect.any(Number),
        address: expect.stringMatching(/127\.0\.0\.1$/),
        publicId,
        userId: "eve",
        code: "NO_EDITOR",
        path: "/edit/7",
        namespace: undefined,
        room: undefined,
      },
    ]);
    expect(Object.isFrozen(events[0])).toBe(true);
    await eve.request(`/edit/${"x".repeat(1_000)}`);
    expect(events[1]).toMatchObject({ path: `/edit/${"x".repeat(494)}` });
    expect((await world.browser().request("/edit")).status).toBe(401); // nothing says whose it is
    expect(events).toHaveLength(2);
  });

  test("a socket that is not let into a namespace; what an application asks of a room is no event", async () => {
    const { events, brief } = await startRuled();
    const eve = await world.visitor({ userId: "eve" });
    const main = await eve.connect("/");
    const publicId = await publicIdOf("eve");
    events.splice(0);
    await refused(main.io.socket("/edit"));
    expect(await main.emitWithAck("join")).toBe(false);
    expect(events).toMatchObject([{ publicId, address: expect.stringMatching(/127\.0\.0\.1$/) }]);
    expect(brief()).toEqual(["forbidden NO_EDITOR at /edit, eve"]);
    await refused(main.io.socket(`/edit-${"x".repeat(1_000)}`));
    expect(events).toMatchObject([{ namespace: `/edit-${"x".repeat(494)}` }]);
    brief();
    await refused(main.io.socket("/edit-\n\u001b[2J\u202e"));
    expect(brief()).toEqual(["forbidden NO_EDITOR at /edit-\\u000a\\u001b[2J\\u202e, eve"]);
  });

  test("a change takes sockets out: one event for each, however much is sent, once all are silent", async () => {
    const { brief } = await startRuled();
    const ada = await world.visitor({ userId: "ada", name: "editor" });
    const sockets = [await ada.connect("/edit"), await ada.connect("/edit")];
    const main = await ada.connect("/");
    expect(await main.emitWithAck("join")).toBe(true);
    const left: number[] = [];
    world.sessions.on("lifecycle", ({ type }) => {
      if (type === "forbidden") left.push(world.io.of("/edit").sockets.size);
    });
    brief();
    const gone = Promise.all(sockets.map(disconnected));
    await ada.post("/write", { name: "reader" });
    for (const socket of sockets) for (let n = 0; n < 5; n++) socket.emit("read");
    await gone;
    expect(left).toEqual([0, 0, 0]);
    expect(brief()).toEqual([
      ...Array(2).fill("forbidden NO_EDITOR at /edit, ada"),
      "forbidden NO_EDITOR at / editors, ada",
    ]);
    await ada.post("/write", { name: "visitor" });
    expect(await main.emitWithAck("read")).toEqual({ userId: "ada", name: "visitor" });
    expect(brief()).toEqual([]);
  });

  test("a room that a client has named: one line, and not all of it", async () => {
    const { brief } = await startRuled();
    const ada = await world.visitor({ userId: "ada", name: "editor" });
    const main = await ada.connect("/");
    expect(await main.emitWithAck("join room", `a\n${"x".repeat(1_000)}`)).toBe(true);
    brief();
    await ada.post("/write", { name: "reader" });
    expect(brief()).toEqual([`forbidden NO_EDITOR at / a\\u000a${"x".repeat(498)}, ada`]);
  });

  test("time takes a socket out", async () => {
    const clock = new ManualClock();
    const { brief } = await startRuled({ clock, store: memoryStore({ clock }) });
    const ada = await world.visitor({ userId: "ada", name: "editor" });
    const socket = await ada.connect("/edit");
    brief();
    const gone = disconnected(socket);
    await clock.advance(60_000);
    await gone;
    expect(brief()).toEqual(["forbidden SESSION_FORBIDDEN at /edit, ada"]);
  });

  test("a socket whose rule turns false while it is in other middleware: once, by the rule that did", async () => {
    const { brief, held } = await startRuled();
    const ada = await world.visitor({ userId: "ada", name: "editor" });
    const refusal = refused(ada.socket("/late"));
    await expect.poll(() => held.length).toBe(1);
    brief();
    await ada.post("/write", { name: "reader" });
    for (const next of held) next();
    expect((await refusal).data).toEqual({ code: "NO_EDITOR" });
    expect(brief()).toEqual(["forbidden NO_EDITOR at /late, ada"]);
  });
});
