/** At the moment of an end, and after it: nothing is delivered and nothing handled, by any path. */
import { once } from "node:events";
import type { Socket as ServerSocket } from "socket.io";
import { afterEach, describe, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { connectEverywhere } from "../support/ends.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { namespaceKinds, transportKinds } from "../support/matrix.ts";
import { RawPolling } from "../support/raw-client.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

describe.each(transportKinds)("by $name", ({ transports }) => {
  test("an end listener of one tab sends nothing to another tab of the session", async () => {
    world = await startWorld({ sockets: (io) => installHandlers(io) });
    const ada = await world.visitor();
    const own = await connectEverywhere(world, ada, [...transports]);
    const received: unknown[] = [];
    for (const client of own.clients) client.on("late", (what) => received.push(what));
    const told: string[] = [];
    for (const socket of own.serverSides) {
      socket.session.on("end", () => {
        told.push(socket.nsp.name);
        for (const one of serverSockets(world.io)) one.emit("late", "to one");
        for (const namespace of ["/", "/admin", "/room-7"]) world.io.of(namespace).emit("late", "to all");
      });
    }
    await ada.post("/logout");
    await own.ends;
    expect(told).toHaveLength(6);
    expect(received).toEqual([]);
    expect(own.told).toEqual(Array(6).fill({ reason: "destroyed" })); // the farewell is
  });

  test("nor does an acknowledgement that another tab waits for reach it, if the end listener gives it", async () => {
    const waiting: ((answer: string) => void)[] = [];
    world = await startWorld({
      sockets: (io) =>
        installHandlers(io, (socket) => {
          socket.on("ask", (answer) => waiting.push(answer));
          socket.session.on("end", () => {
            for (const answer of waiting) answer("late");
          });
        }),
    });
    const ada = await world.visitor();
    const own = await connectEverywhere(world, ada, [...transports]);
    const received: unknown[] = [];
    for (const client of own.clients) client.emit("ask", (answer: string) => received.push(answer));
    await expect.poll(() => waiting.length).toBe(6);
    await ada.post("/logout");
    await own.ends;
    expect(received).toEqual([]);
  });
});

describe.each(transportKinds)("an event that waits in socket middleware, by $name", ({ transports }) => {
  describe.each(namespaceKinds)("in $name", ({ namespace }) => {
    /** `over` is awaited in the request that ends the session, after that and before the response. */
    async function waitingEvent() {
      const reached: string[] = [];
      let pass: ((error?: Error) => void) | undefined;
      let over = () => {};
      const hold = (socket: ServerSocket) => {
        socket.use(([event], next) => {
          if (event === "late") pass = next;
          else next();
        });
        socket.on("late", () => reached.push(socket.session.state));
        socket.on("error", () => reached.push("error"));
      };
      world = await startWorld({
        sockets: (io) => installHandlers(io, hold),
        routes: (app) => {
          app.post("/ends-by/:means", (req, res, next) => {
            const ended = (error: unknown) => {
              if (error) return next(error);
              over();
              setImmediate(() => res.send("ended"));
            };
            if (req.params.means === "destroy") req.session.destroy(ended);
            else req.session.regenerate(ended);
          });
        },
      });
      const ada = await world.visitor();
      const socket = await ada.connect(namespace, { transports: [...transports], reconnection: false });
      await upgraded(socket);
      socket.emit("late");
      await expect.poll(() => pass).toBeDefined();
      const gone = disconnected(socket);
      return {
        ada,
        gone,
        reached,
        pass: (error?: Error) => pass?.(error),
        passAtEnd: (error?: Error) => {
          over = () => pass?.(error);
        },
      };
    }

    test.each(["destroy", "regenerate"])(
      "reaches no handler once %s has ended its session",
      async (means) => {
        const { ada, gone, reached, passAtEnd } = await waitingEvent();
        passAtEnd();
        await ada.post(`/ends-by/${means}`);
        await gone;
        expect(reached).toEqual([]);
      },
    );

    test.each(["destroy", "regenerate"])("reports no error to its socket after %s either", async (means) => {
      const { ada, gone, reached, passAtEnd } = await waitingEvent();
      passAtEnd(new Error("refused"));
      await ada.post(`/ends-by/${means}`);
      await gone;
      expect(reached).toEqual([]);
    });

    test("reaches its handler while the session lives", async () => {
      const { reached, pass } = await waitingEvent();
      pass();
      await expect.poll(() => reached).toEqual(["live"]);
    });
  });
});

const farewell = ['42["session:end",{"reason":"destroyed"}]', "41"];

describe("packets that wait for the client's poll", () => {
  async function waiting() {
    let meanwhile = async () => {};
    world = await startWorld({
      sockets: (io) => installHandlers(io),
      routes: (app) => {
        app.post("/regenerate-slowly", (req, res, next) => {
          req.session.regenerate((error) => {
            if (error) next(error);
            else void meanwhile().then(() => res.send("new"));
          });
        });
      },
    });
    const ada = await world.visitor();
    const client = new RawPolling(world.url, { cookie: ada.cookie });
    await client.open();
    world.io.emit("news", "private");
    /** Replaces the session; `fn` comes after that and before the response. */
    const regenerate = (fn: () => Promise<void>) => {
      meanwhile = fn;
      return ada.post("/regenerate-slowly");
    };
    return { ada, client, regenerate };
  }

  test("are delivered while the session lives", async () => {
    const { client } = await waiting();
    expect((await client.send("GET")).body).toBe('42["news","private"]');
  });

  test("are not delivered after a logout, except session:end", async () => {
    const { ada, client } = await waiting();
    await ada.post("/logout");
    expect((await client.send("GET")).body.split("\x1e")).toEqual(farewell);
  });

  test("are not delivered once the session is replaced", async () => {
    const { client, regenerate } = await waiting();
    let poll: Promise<{ body: string }> | undefined;
    await regenerate(async () => {
      const arrived = once(world.http, "request");
      poll = client.send("GET");
      await arrived;
    });
    expect((await poll)?.body).not.toContain("private");
  });
});

describe("packets that wait for the end of an upgrade", () => {
  async function waiting() {
    world = await startWorld({ sockets: (io) => installHandlers(io) });
    const ada = await world.visitor();
    const client = new RawPolling(world.url, { cookie: ada.cookie });
    await client.open();
    const upgrade = await client.probe();
    world.io.emit("news", "private");
    return { ada, upgrade };
  }

  test("are delivered while the session lives", async () => {
    const { upgrade } = await waiting();
    upgrade.finish();
    await expect.poll(() => upgrade.received).toEqual(['42["news","private"]']);
  });

  test("are not delivered after a logout, except session:end", async () => {
    const { ada, upgrade } = await waiting();
    await ada.post("/logout");
    upgrade.finish();
    await upgrade.closed;
    expect(upgrade.received).toEqual(farewell);
  });
});
