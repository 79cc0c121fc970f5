import { errorCodes, SocketSessionError } from "socket-session";
import { afterEach, expect, test } from "vitest";
import type { FeedListener } from "../../src/session-store.ts";
import { disconnected, refused } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { describeStores } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** What a driver may throw. */
const thrown: unknown[] = [
  new Error("down"),
  new TypeError("down"),
  new AggregateError([new Error("down")], ""),
  "down",
  undefined,
  { code: "DOWN" },
];

const throwing = (what: unknown) => () => {
  throw what;
};

describeStores("an error of the `error` event", ({ store }) => {
  test("is a SocketSessionError with a code of the table, whatever fails and however", async () => {
    const opened = store.open();
    let failure: (() => never) | undefined;
    const listeners: FeedListener[] = [];
    // Of this package's port and of express-session's.
    for (const name of ["read", "readMany", "touch", "replace", "destroy", "get", "set"]) {
      const method: unknown = Reflect.get(opened, name);
      if (typeof method !== "function") continue;
      Reflect.set(opened, name, (...args: unknown[]) =>
        failure ? failure() : Reflect.apply(method, opened, args),
      );
    }
    const changes: unknown = Reflect.get(opened, "changes");
    if (typeof changes === "function") {
      Reflect.set(opened, "changes", (listener: FeedListener, ...rest: unknown[]) => {
        listeners.push(listener);
        return Reflect.apply(changes, opened, [listener, ...rest]);
      });
    }
    world = await startWorld({
      store: opened,
      touchIntervalMs: 0,
      userId: (data) => (data.name === "throw" ? throwing(new Error("userId"))() : data.userId),
      sockets(io, sessions) {
        installHandlers(io, (socket) => {
          socket.on("throw", throwing(new Error("handler")));
          socket.session.on("change", throwing("a text"));
          socket.session.on("end", async () => Promise.reject(undefined));
        });
        sessions.on("change", throwing(new Error("change")));
        sessions.on("end", async () => Promise.reject(new Error("end")));
      },
      routes: (app) => {
        app.post("/callback", (req, res) => {
          req.session.n = 1;
          req.session.save(() => {
            res.send("saved");
            throw new Error("callback");
          });
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect();
    await ada.post("/write", { n: 3 });
    await ada.post("/callback");
    await ada.post("/write", { name: "throw" });
    socket.emit("throw");
    for (const what of thrown) {
      failure = throwing(what);
      await refused(ada.socket("/", { reconnection: false }));
      socket.emit("read", () => {});
      world.sessions.store().set("an id", Object({ cookie: {} }));
      for (const listener of listeners) listener.broken(what);
      failure = undefined;
      for (const listener of listeners) listener.missed();
    }
    for (const data of [{ n: 1n }, { cookie: { path: 1n } }, { list: throwing }])
      world.sessions.store().set("an id", Object({ cookie: {}, ...data }));
    const { id } = JSON.parse(await ada.get("/session"));
    const gone = disconnected(socket);
    await world.sessions.end(id);
    await gone;
    await expect.poll(() => codes().length).toBeGreaterThan(thrown.length + 6);
    const odd = world.errors.filter(
      (error) => !(error instanceof SocketSessionError && Object.hasOwn(errorCodes, error.code)),
    );
    expect(odd).toEqual([]);
    const expected = ["LISTENER_FAILED", "STORE_FAILED", "SESSION_INVALID_DATA"];
    if (store.feed) expected.push("STORE_FEED_BROKEN");
    const ofData = world.errors.filter((error) => Object(error).code === "SESSION_INVALID_DATA");
    expect(ofData.map((error) => /"\w+"/.exec(String(error))?.[0]).sort()).toEqual(['"cookie"', '"n"']);
    for (const code of expected) await expect.poll(codes).toContain(code);
  });
});

function codes(): string[] {
  return world.errors.map((error) => String(Object(error).code));
}
