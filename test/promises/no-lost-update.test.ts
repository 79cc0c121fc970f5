import { afterEach, expect, test } from "vitest";
import { installHandlers } from "../support/handlers.ts";
import { describeEverywhere, describeStores } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

describeEverywhere("no lost update", ({ store, transports, namespace }) => {
  test("100 updates over two sockets, 100 increments of another key by requests in between", async () => {
    world = await startWorld({ store: store.open(), sockets: (io) => installHandlers(io) });
    const ada = await world.visitor({ name: "ada" });
    const first = await ada.connect(namespace, { transports });
    const second = await ada.connect(namespace, { transports });
    const updates = Array.from({ length: 100 }, (_, i) => (i % 2 ? first : second).emitWithAck("increment"));
    for (let i = 0; i < 100; i++) await ada.post("/increment");
    await Promise.all(updates);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", n: 100, m: 100 });
    expect(await first.emitWithAck("read")).toEqual({ name: "ada", n: 100, m: 100 });
    expect(world.errors).toEqual([]);
  });
});

describeStores("merging saves", ({ store }) => {
  test("requests side by side that write different keys all keep theirs", async () => {
    let arrived = 0;
    let release = () => {};
    const all = new Promise<void>((resolve) => {
      release = resolve;
    });
    world = await startWorld({
      store: store.open(),
      routes: (app) => {
        app.post("/together/:key", async (req, res) => {
          if (++arrived === 20) release();
          await all; // each has loaded the session before any saves it
          Object.assign(req.session, { [req.params.key]: arrived });
          res.send("ok");
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    await Promise.all(Array.from({ length: 20 }, (_, i) => ada.post(`/together/k${i}`)));
    expect(Object.keys(JSON.parse(await ada.get("/session")).data)).toHaveLength(21);
    expect(world.sessions.stats().conflicts).toBe(0);
  });

  test("a save over another's write of the same key is told as a conflict; a removed key stays removed", async () => {
    const conflicts: unknown[] = [];
    world = await startWorld({
      store: store.open(),
      routes: (app, sessions) => {
        sessions.on("conflict", ({ keys }) => conflicts.push(keys));
        app.post("/slow", async (req, res) => {
          await sessions.of(req).reload();
          req.session.name = "from the slow request";
          delete req.session.n;
          const other = world.browser();
          other.cookie = req.headers.cookie ?? "";
          await other.post("/write", { name: "from the fast request", m: 7 });
          res.send("ok");
        });
      },
    });
    const ada = await world.visitor({ name: "ada", n: 1 });
    await ada.post("/slow");
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "from the slow request", m: 7 });
    expect(conflicts).toEqual([["name"]]);
  });

  test("an update in a request shows in req.session at once, and later saves of the request build on it", async () => {
    world = await startWorld({
      store: store.open(),
      routes: (app, sessions) => {
        app.post("/both", async (req, res) => {
          req.session.name = "mine, not saved yet";
          await sessions.of(req).update((s) => {
            s.n = (s.n ?? 0) + 1;
          });
          const shown = req.session.n;
          req.session.m = 5;
          res.json({ shown });
        });
      },
    });
    const ada = await world.visitor({ name: "ada", n: 1 });
    expect(JSON.parse(await ada.post("/both"))).toEqual({ shown: 2 });
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "mine, not saved yet", n: 2, m: 5 });
  });

  test("an update in the first request of a visitor stores the session and sets its cookie", async () => {
    world = await startWorld({ store: store.open() });
    const visitor = world.browser();
    expect(await visitor.post("/update")).toBe("1");
    expect(await visitor.post("/update")).toBe("2");
    expect(JSON.parse(await visitor.get("/session")).data).toEqual({ n: 2 });
  });

  test("an unawaited save and the end of the response write one after the other", async () => {
    world = await startWorld({
      store: store.open(),
      routes: (app) => {
        app.post("/twice", (req, res) => {
          req.session.name = "first";
          req.session.save();
          req.session.n = 2;
          res.send("ok");
        });
      },
    });
    const visitor = world.browser();
    await visitor.post("/twice");
    expect(JSON.parse(await visitor.get("/session")).data).toEqual({ name: "first", n: 2 });
  });

  test("what an unawaited save has written and the end of the response removes is gone", async () => {
    world = await startWorld({
      store: store.open(),
      routes: (app) => {
        app.post("/back-and-forth", (req, res) => {
          req.session.n = 1;
          req.session.save();
          delete req.session.n;
          res.send("ok");
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    await ada.post("/back-and-forth");
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
  });
});
