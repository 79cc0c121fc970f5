/** Connection state recovery where middleware decides, and on nodes that were frozen. */
import { afterEach, describe, expect, test } from "vitest";
import { nextTurn } from "../../../src/base/batches.ts";
import { until } from "../../recipe/waiting.ts";
import { frozenWorld } from "../../support/frozen-world.ts";
import { conversation, type Departed, departed, type Steps, startNodes } from "./departures.ts";
import { inMemory, type Nodes, nodesOf } from "./nodes.ts";
import { askFor, begin, holdRestored, remains, wayOf } from "./recoveries.ts";

let nodes: Nodes;
let steps: Steps;
afterEach(() => nodes.close());

async function leave(transport: string, misses = true): Promise<Departed> {
  const left = await departed(nodes, await nodes.visitor({ name: "ada" }), transport, { misses });
  steps.length = 0;
  return left;
}

describe.each(["polling", "websocket"])("middleware that runs for a recovered socket, by %s", (transport) => {
  /** Middleware of the application that answers for recovered sockets when the test does. */
  async function startWaiting() {
    ({ nodes, steps } = await startNodes(inMemory, { skipMiddlewares: false }));
    const waiting: ((error?: Error) => void)[] = [];
    nodes.there.io.use((socket, next) => {
      if (socket.recovered) waiting.push(next);
      else next();
    });
    return waiting;
  }

  test("may refuse it: the client can try again by the same pid", async () => {
    const waiting = await startWaiting();
    const left = await leave(transport);
    const first = await begin(nodes, left, transport);
    await until(() => waiting.length === 1);
    waiting[0]?.(new Error("not now"));
    await until(() => first.wire().includes("not now"));
    const second = askFor(nodes, left.tab.cookie, transport, wayOf(left));
    await until(() => waiting.length === 2);
    waiting[1]?.();
    const { wire, raw } = await second;
    expect(wire).toContain("missed");
    expect(steps.at(-1)).toBe("recovered for ada");
    for (const one of [first.raw, raw]) one.close();
  });

  test("may take longer than the connection lasts: until then the pid is in use, and the next socket keeps its rooms", async () => {
    const waiting = await startWaiting();
    const left = await leave(transport);
    const first = await begin(nodes, left, transport);
    await until(() => waiting.length === 1);
    first.raw.close();
    await until(() => nodes.there.io.engine.clientsCount === 0);
    const second = await askFor(nodes, left.tab.cookie, transport, wayOf(left));
    expect(steps.at(-1)).toBe("new for ada");
    waiting[0]?.();
    await nextTurn();
    nodes.there.io.emit("news", "later");
    await until(() => second.raw.received.some((text) => text.includes("later")));
    const third = askFor(nodes, left.tab.cookie, transport, wayOf(left));
    await until(() => waiting.length === 2);
    waiting[1]?.();
    expect((await third).wire).toContain("missed");
    for (const { raw } of [second, await third]) raw.close();
  });
});

describe.each([true, false])(
  "a node that was frozen for longer than staleMs, with skipMiddlewares: %s",
  (skipMiddlewares) => {
    async function startFrozen() {
      steps = [];
      const frozen = await frozenWorld({
        io: { connectionStateRecovery: { skipMiddlewares } },
        sockets: (io) => conversation(io, steps),
      });
      nodes = await nodesOf([frozen.world]);
      return frozen;
    }

    test.each([
      ["polling", true],
      ["polling", false],
      ["websocket", true],
      ["websocket", false],
    ])(
      "before it has restored a socket: nothing is sent, and nothing runs, by %s, if the client missed anything: %s",
      async (transport, misses) => {
        const { freeze } = await startFrozen();
        const left = await leave(transport, misses);
        const held = holdRestored(nodes.there.io.of("/"));
        const { raw, wire } = await begin(nodes, left, transport);
        await until(() => held.restored === 1);
        await freeze(60_000);
        held.release();
        await raw.closed;
        await nextTurn();
        expect(wire()).not.toMatch(/missed|sid/);
        expect(steps).toEqual([]);
        expect(remains(nodes)).toEqual({ sockets: 0, rooms: 0 });
      },
    );

    test.each(["polling", "websocket"])(
      "before a client asks: nothing is restored, by %s",
      async (transport) => {
        const { freeze } = await startFrozen();
        const left = await leave(transport);
        const held = holdRestored(nodes.there.io.of("/"));
        const { raw, ask, wire } = await begin(nodes, left, transport, "/admin");
        await until(() => steps.length > 0);
        await freeze(60_000);
        await ask("/");
        await raw.closed;
        await nextTurn();
        expect(held.restored).toBe(0);
        expect(wire()).not.toContain("missed");
        expect(steps).not.toContain("recovered for ada");
      },
    );
  },
);
