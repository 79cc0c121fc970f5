/**
 * A page connects as soon as it has the headers of a login's response, as `await fetch("/login")` does. The login leaves the
 * save to `express-session`, at the end of the response.
 */
import type { Express } from "express";
import type { Server } from "socket.io";
import { afterEach, expect, test } from "vitest";
import { connected } from "../support/browser.ts";
import { describeKinds, transportKinds } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

const tries = 60;
const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

describeKinds("a page that connects while its session is being stored", (store) => {
  async function startNode(
    shared: ReturnType<typeof store.open>,
    guests: "refuse" | "allow",
  ): Promise<World> {
    const sockets = (io: Server) => {
      io.on("connection", (socket) => socket.emit("who", socket.session.data.name ?? "a guest"));
    };
    const routes = (app: Express) => {
      app.post("/streamed-login", (req, res) => {
        Object.assign(req.session, req.body);
        res.flushHeaders();
        res.end("in");
      });
    };
    const world = await startWorld({ store: shared, guests, sockets, routes });
    worlds.push(world);
    await expect.poll(() => world.sessions.stats().store.feed).toMatch(/^(?:whole|none)$/);
    return world;
  }

  // The headers of a streamed response go out before the session is stored, and only this node knows of it then.
  test.each([
    { guests: "refuse", where: "another node", login: "/login" },
    { guests: "allow", where: "another node", login: "/login" },
    { guests: "refuse", where: "that node", login: "/streamed-login" },
    { guests: "allow", where: "that node", login: "/streamed-login" },
  ] as const)(
    "gets in, with its session, each of 60 times; guests: $guests, by $login, on $where",
    async ({ guests, where, login }) => {
      const shared = store.open();
      const first = await startNode(shared, guests);
      const second = where === "that node" ? first : await startNode(shared, guests);
      const found: unknown[] = [];
      for (let round = 0; round < tries; round++) {
        const ada = second.browser();
        const { transports = [] } = transportKinds[round % transportKinds.length] ?? {};
        const response = await fetch(new URL(login, first.url), {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ name: "ada" }),
        });
        ada.cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
        const socket = ada.socket("/", { transports: [...transports], reconnection: false });
        const who = new Promise((resolve) => socket.once("who", resolve));
        const outcome = connected(socket).then(
          () => who,
          (refusal) => refusal.data?.code ?? String(refusal),
        );
        found.push(await outcome);
        await response.text();
        ada.close();
      }
      expect(found).toEqual(Array.from({ length: tries }, () => "ada"));
    },
    60_000,
  );
});
