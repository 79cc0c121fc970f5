/** Clients that come while a session can't be verified have to retry; the session itself is unharmed. */
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { connected } from "../support/browser.ts";
import { frozenWorld } from "../support/frozen-world.ts";
import { installHandlers } from "../support/handlers.ts";
import type { World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** A session of one socket that becomes unverified within three seconds, as its feed is cut and its store slow. */
async function almostUnverified() {
  const frozen = await frozenWorld({ sockets: (io) => installHandlers(io) });
  ({ world } = frozen);
  const refused: string[] = [];
  const ended: string[] = [];
  world.sessions.on("refuse", ({ code }) => refused.push(code));
  world.sessions.on("end", ({ reason }) => ended.push(reason));
  const ada = await world.visitor({ name: "ada" });
  await ada.connect("/", { transports: ["websocket"], reconnection: false });
  frozen.cutFeed();
  await frozen.clock.advance(29_000);
  frozen.holdReads();
  await frozen.clock.advance(29_000);
  const becomeUnverified = async () => {
    await frozen.clock.advance(3_000);
    expect(ended).toEqual(["unverified"]);
    frozen.letReadsGo();
  };
  return { ...frozen, ada, refused, becomeUnverified };
}

describe("a session that becomes unverified", () => {
  test.each([
    { by: "WebSocket", transport: "websocket", event: "upgrade" },
    { by: "polling", transport: "polling", event: "request" },
  ])("during a handshake by $by: the stock client retries, and is let in", async (kind) => {
    const { ada, refused, becomeUnverified } = await almostUnverified();
    const asked = once(world.http, kind.event);
    const socket = ada.socket("/", { transports: [kind.transport] });
    const refusals: unknown[] = [];
    socket.on("connect_error", (error) => refusals.push("data" in error ? error.data : undefined));
    await asked;
    await becomeUnverified();
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    expect(refused).toEqual(["STORE_UNAVAILABLE"]);
    expect(refusals).toEqual([undefined]);
  });

  test("while the application's allowRequest checks a handshake: the stock client retries, and is let in", async () => {
    let waiting: (() => void)[] | undefined;
    const frozen = await frozenWorld({
      sockets: (io) => installHandlers(io),
      io: {
        allowRequest: (_request, allow) => {
          if (waiting) waiting.push(() => allow(null, true));
          else allow(null, true);
        },
      },
    });
    ({ world } = frozen);
    const ends: string[] = [];
    const refusals: string[] = [];
    world.sessions.on("end", ({ reason }) => ends.push(reason));
    world.sessions.on("refuse", ({ code }) => refusals.push(code));
    const ada = await world.visitor({ name: "ada" });
    const options = { transports: ["websocket"], reconnection: false };
    await ada.connect("/", options);
    waiting = [];
    const late = ada.socket("/", { transports: ["websocket"] });
    await expect.poll(() => waiting?.length).toBe(1);
    await frozen.freeze(60_000);
    world.io.emit("news"); // to the socket that is there: its session is looked at, and is too old
    expect(ends).toEqual(["unverified"]);
    const admitted = waiting;
    waiting = undefined;
    for (const allow of admitted) allow();
    await new Promise<void>((resolve) => late.once("connect", () => resolve()));
    expect(await late.emitWithAck("read")).toEqual({ name: "ada" });
    expect(refusals).toEqual([]);
  });

  test("during a request: the request has it, keeps its cookie, and writes to it", async () => {
    const { ada, heldReads, becomeUnverified } = await almostUnverified();
    const { cookie } = ada;
    const before = heldReads();
    const answer = ada.post("/increment");
    await expect.poll(heldReads).toBeGreaterThan(before);
    await becomeUnverified();
    expect(await answer).toBe("1");
    expect(ada.cookie).toBe(cookie);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", m: 1 });
    await connected(ada.socket());
  });
});
