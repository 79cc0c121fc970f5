/** A client without the cookie is let in by a ticket, once; on every store, transport and kind of namespace. */
import type { Socket } from "socket.io-client";
import { afterEach, expect, test } from "vitest";
import { type Browser, connected, disconnected, refused } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { describeEverywhere } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

describeEverywhere("tickets", ({ store, transports, namespace }) => {
  const start = async () => {
    world = await startWorld({
      store: store.open(),
      routes: (app, sessions) => app.use("/session", sessions.routes()),
      sockets: (io) => installHandlers(io),
    });
  };
  const ticketOf = async (visitor: Browser): Promise<unknown> =>
    JSON.parse(await visitor.post("/session/ticket")).ticket;
  /** A client without a cookie. */
  const knock = (ticket: unknown): Socket =>
    world.browser().socket(namespace, { transports, auth: { ticket } });

  if (store.name === "a wrapped MemoryStore") {
    test("the store can't keep any: asking for one fails with the reason", async () => {
      await start();
      const visitor = await world.visitor();
      expect(await visitor.post("/session/ticket")).toContain("the MemoryStore store can");
      expect((await refused(knock("x"))).data).toEqual({ code: "SESSION_REQUIRED" });
    });
    return;
  }

  test("a client without the cookie has the session of its ticket, in all namespaces", async () => {
    await start();
    const visitor = await world.visitor({ name: "ada" });
    const socket = knock(await ticketOf(visitor));
    const other = socket.io.socket("/admin");
    await Promise.all([connected(socket), connected(other)]);
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    expect(await other.emitWithAck("increment")).toBe(1);
    await expect.poll(() => visitor.get("/session").then(JSON.parse)).toMatchObject({ data: { n: 1 } });
    const gone = disconnected(socket);
    await visitor.post("/logout");
    expect(await gone).toBe("io server disconnect");
  });

  test("a ticket is good once", async () => {
    await start();
    const ticket = await ticketOf(await world.visitor());
    await connected(knock(ticket));
    const second = knock(ticket);
    expect((await refused(second)).data).toEqual({ code: "TICKET_INVALID" });
    expect(second.active).toBe(false);
  });

  test.each(["/logout", "/regenerate"])("a ticket is useless after %s", async (path) => {
    await start();
    const visitor = await world.visitor();
    const ticket = await ticketOf(visitor);
    await visitor.post(path);
    expect((await refused(knock(ticket))).data).toEqual({ code: "TICKET_INVALID" });
  });
});
