/** `guests: "create"` where a client may bring a ticket: the handshake has set a cookie before the server can know. */
import type { Server } from "socket.io";
import { afterEach, describe, expect, test } from "vitest";
import type { Browser } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { KeepingBrowser } from "../support/keeping-browser.ts";
import { RawPolling } from "../support/raw-client.ts";
import { rawHandshake } from "../support/raw-handshake.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
const browsers: Browser[] = [];
afterEach(async () => {
  for (const browser of browsers.splice(0)) browser.close();
  await world.close();
});

async function start() {
  world = await startWorld({
    guests: "create",
    routes: (app, sessions) => app.use("/session", sessions.routes()),
    sockets: (io: Server) => installHandlers(io),
  });
}

async function ticketOf(visitor: Browser): Promise<string> {
  return JSON.parse(await visitor.post("/session/ticket")).ticket;
}

describe.each([{ transports: ["polling"] }, { transports: ["websocket"] }])(
  "by $transports",
  ({ transports }) => {
    test("a client with a jar has its ticket's session, now and when it comes back", async () => {
      await start();
      const ada = await world.visitor();
      const client = new KeepingBrowser(world.url);
      browsers.push(client);
      for (const n of [1, 2]) {
        const socket = await client.connect("/", { transports, auth: { ticket: await ticketOf(ada) } });
        expect(client.cookie).toMatch(/^sid=/);
        expect(await socket.emitWithAck("increment")).toBe(n);
        expect(await socket.emitWithAck("read")).toEqual({ name: "ada", n });
        socket.disconnect();
      }
      expect(world.sessions.stats().refused).toMatchObject({ TICKET_INVALID: 0, COOKIE_MISMATCH: 0 });
    });

    test("a client without a ticket is a guest with a session", async () => {
      await start();
      const client = new KeepingBrowser(world.url);
      browsers.push(client);
      const socket = await client.connect("/", { transports });
      expect(await socket.emitWithAck("increment")).toBe(1);
      expect(JSON.parse(await client.get("/session")).data).toEqual({ n: 1 });
    });
  },
);

test("two connections with tickets and one jar do not make each other come back", async () => {
  await start();
  const ada = await world.visitor();
  const [first, second] = [await open(), await open()];
  await first.join(await ticketOf(ada));
  await second.join(await ticketOf(ada));
  expect([await first.poll(second.set), await second.poll(second.set), await first.poll(ada.cookie)]).toEqual(
    ["ok", "ok", "ok"],
  );
  expect((await open(first.set)).set).toMatch(/^sid=/); // the first one's id was given up
  const third = await open(); // may still bring a ticket
  expect(await first.poll(third.set)).toBe("ok");
  expect(await first.poll((await world.visitor({ name: "eve" })).cookie)).toBe("403 COOKIE_MISMATCH");
});

test("a client that may still bring a ticket comes back for the cookie of another tab, or goes on", async () => {
  await start();
  const [lost, won] = [await open(), await open()];
  expect([await lost.poll(won.set, "40"), await won.poll(won.set, "40")]).toEqual([
    "403 COOKIE_MISMATCH",
    "ok",
  ]);
  const eve = await world.visitor();
  const { cookie } = eve;
  await eve.post("/logout");
  expect(await lost.poll(cookie, "40")).toBe("ok"); // of no session
});

async function open(given?: string) {
  const { body, cookies } = await rawHandshake(
    world.url,
    "polling",
    given === undefined ? {} : { cookie: given },
  );
  const tab = new RawPolling(world.url, {});
  tab.sid = JSON.parse(body.slice(1)).sid;
  const poll = async (cookie: string, packet = "3") => {
    const { status, body: text } = await tab.send("POST", packet, { cookie });
    return text === "ok" ? text : `${status} ${JSON.parse(text).data.code}`;
  };
  const join = async (ticket: string) => {
    await tab.send("POST", `40${JSON.stringify({ ticket })}`);
    expect((await tab.send("GET")).body).toContain("40{");
  };
  return { set: cookies[0]?.split(";")[0] ?? "", poll, join };
}
