import type { Request } from "express";
import type { LiveSessions } from "socket-session";
import { afterEach, describe, expect, test } from "vitest";
import type { Browser } from "../support/browser.ts";
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
  test("concurrent requests that write different keys all keep theirs", async () => {
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

  test("a save over another's write of the same key is reported as a conflict; a removed key stays removed", async () => {
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

  test("the end of the response removes a key that an unawaited save has written", async () => {
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

  describe("updates in a request", () => {
    /** Runs `route` as a request of a visitor; resolves with what it sends, and what is stored afterwards. */
    async function run(
      route: (req: Request, sessions: LiveSessions, fast: Browser) => Promise<unknown>,
      data?: object,
    ) {
      const conflicts: (readonly string[])[] = [];
      const fast = Promise.withResolvers<Browser>();
      world = await startWorld({
        store: store.open(),
        routes: (app, sessions) => {
          sessions.on("conflict", ({ keys }) => conflicts.push(keys));
          app.post("/run", async (req, res) => {
            res.json((await route(req, sessions, await fast.promise)) ?? null);
          });
        },
      });
      const visitor = data ? await world.visitor(data as Record<string, unknown>) : world.browser();
      const other = world.browser();
      other.cookie = visitor.cookie;
      fast.resolve(other);
      const sent = JSON.parse(await visitor.post("/run"));
      const stored = JSON.parse(await visitor.get("/session")).data;
      return { sent, stored, conflicts, cookie: visitor.cookie };
    }

    test("of a session that is not stored yet survive the save at the end", async () => {
      const { stored } = await run(async (req, sessions) => {
        Object.assign(req.session, { n: 1, gone: 1 });
        await sessions.of(req).update((s) => {
          s.n = (s.n ?? 0) + 1;
          Reflect.deleteProperty(s, "gone");
        });
      });
      expect(stored).toEqual({ n: 2 });
    });

    test("of a session that is not stored yet, ten at once, are ten", async () => {
      const { stored } = await run(async (req, sessions) => {
        const one = () =>
          sessions.of(req).update((s) => {
            s.n = (s.n ?? 0) + 1;
          });
        await Promise.all(Array.from({ length: 10 }, one));
      });
      expect(stored).toEqual({ n: 10 });
    });

    test("of a session that is not stored yet, and its first save, both count", async () => {
      for (let turns = 0; turns < 6; turns++) {
        const { stored } = await run(async (req, sessions) => {
          const update = sessions.of(req).update((s) => {
            s.m = 1;
          });
          for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
          req.session.n = 1;
          await new Promise((resolve) => req.session.save(resolve));
          await update;
        });
        expect(stored).toEqual({ n: 1, m: 1 });
        await world.close();
      }
    });

    test("may be undone through req.session", async () => {
      const { stored } = await run(
        async (req, sessions) => {
          await sessions.of(req).update((s) => {
            s.name = "bob";
            s.n = 1;
          });
          req.session.name = "ada";
          delete req.session.n;
        },
        { name: "ada" },
      );
      expect(stored).toEqual({ name: "ada" });
    });

    test("leave alone what an unawaited save has still to store", async () => {
      const { sent, stored } = await run(
        async (req, sessions) => {
          req.session.m = 1;
          req.session.save();
          await sessions.of(req).update((s) => {
            s.n = 2;
          });
          return req.session.m;
        },
        { name: "ada", n: 1 },
      );
      expect(sent).toBe(1);
      expect(stored).toEqual({ name: "ada", n: 2, m: 1 });
    });

    test("that change nothing store nothing", async () => {
      const { sent, cookie } = await run(async (req, sessions) =>
        sessions.of(req).update((s) => s.n ?? "none"),
      );
      expect(sent).toBe("none");
      expect(cookie).toBe("");
    });

    test("leave a changed cookie to the save", async () => {
      const { stored } = await run(
        async (req, sessions) => {
          req.session.cookie.maxAge = 1_000_000;
          await sessions.of(req).update((s) => {
            s.n = 1;
          });
        },
        { name: "ada" },
      );
      expect(stored).toEqual({ name: "ada", n: 1 });
      const [document] = Object.values(
        (await allOf(world)) as Record<string, { cookie: { originalMaxAge: number } }>,
      );
      expect(Math.round((document?.cookie.originalMaxAge ?? 0) / 1000)).toBe(1000);
    });

    test("do not hide the conflict of an own change that is not saved yet", async () => {
      const { stored, conflicts } = await run(
        async (req, sessions, fast) => {
          req.session.n = 5;
          await fast.post("/write", { n: 2 });
          await sessions.of(req).update((s) => {
            s.m = 1;
          });
        },
        { name: "ada", n: 1 },
      );
      expect(stored).toEqual({ name: "ada", n: 5, m: 1 });
      expect(conflicts).toEqual([["n"]]);
    });
  });
});

/** All that is stored, as express-session would list it. */
function allOf({ sessions }: World): Promise<unknown> {
  return new Promise((resolve, reject) => {
    sessions.store().all?.((error, all) => (error ? reject(error) : resolve(all)));
  });
}
