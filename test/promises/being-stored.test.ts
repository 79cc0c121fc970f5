/**
 * A page connects as soon as it has the headers of a login's response, as `await fetch("/login")` does. They go out before
 * `express-session` has stored the session.
 */
import type { Server } from "socket.io";
import { afterEach, expect, test } from "vitest";
import { connected } from "../support/browser.ts";
import { describeKinds, transportKinds } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

const tries = 60;
let world: World;
afterEach(() => world.close());

describeKinds("a page that connects while its session is being stored", (store) => {
  test.each([{ guests: "refuse" }, { guests: "allow" }] as const)(
    "gets in, with its session, each of 60 times; guests: $guests",
    async ({ guests }) => {
      const sockets = (io: Server) => {
        io.on("connection", (socket) => socket.emit("who", socket.session.data.name ?? "a guest"));
      };
      world = await startWorld({ store: store.open(), guests, sockets });
      await expect.poll(() => world.sessions.stats().store.feed).toMatch(/^(?:whole|none)$/);
      const found: unknown[] = [];
      for (let round = 0; round < tries; round++) {
        const ada = world.browser();
        const { transports = [] } = transportKinds[round % transportKinds.length] ?? {};
        const response = await fetch(new URL("/login", world.url), {
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
