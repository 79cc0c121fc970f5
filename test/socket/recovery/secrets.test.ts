/** Connection state recovery while the application's secrets are rotated. */
import { sign } from "cookie-signature";
import { type LiveSessions, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { comeBack, departed, startNodes } from "./departures.ts";
import { inMemory, type Nodes, overRedis } from "./nodes.ts";
import { askFor, wayOf } from "./recoveries.ts";

const older = "the older secret, of forty characters...";
const newer = "the newer secret, of forty characters...";
const cases = [true, false].flatMap((skipMiddlewares) =>
  ["polling", "websocket"].map((transport) => ({ skipMiddlewares, transport })),
);

let nodes: Nodes;
let later: LiveSessions | undefined;
afterEach(async () => {
  await nodes.close();
  await later?.close();
});

overRedis.describe("a node that has a newer secret too", () => {
  test.each(cases)(
    "recovers a socket of a node that has the older one, by $transport, skipMiddlewares: $skipMiddlewares",
    async ({ skipMiddlewares, transport }) => {
      const there = { secret: [newer, older] };
      ({ nodes } = await startNodes(overRedis, { skipMiddlewares, secret: [older], there }));
      const left = await departed(nodes, await nodes.visitor({ name: "ada" }), transport);
      await comeBack(left);
      await left.client.emitWithAck("read");
      expect(left.client.recovered).toBe(true);
      expect(left.received).toEqual(["first", "missed"]);
    },
  );
});

describe("a node that gets other secrets while it runs", () => {
  /** Sessions with `secret` take over the server, with the same store. */
  async function leaveAndRotate(skipMiddlewares: boolean, transport: string, secret: string[]) {
    const store = Object.assign(memoryStore(), { close: async () => {} });
    ({ nodes } = await startNodes(inMemory, { skipMiddlewares, store, secret: [older] }));
    const left = await departed(nodes, await nodes.visitor({ name: "ada" }), transport);
    const { id } = JSON.parse(await left.tab.get("/session"));
    await nodes.here.sessions.close();
    later = liveSessions({ store, secret, name: "sid" }).attach(nodes.here.io);
    return { ...left, id };
  }

  test.each(cases)(
    "recovers its sockets under the older one, by $transport, skipMiddlewares: $skipMiddlewares",
    async ({ skipMiddlewares, transport }) => {
      const left = await leaveAndRotate(skipMiddlewares, transport, [newer, older]);
      await comeBack(left);
      await left.client.emitWithAck("read");
      expect(left.client.recovered).toBe(true);
      expect(left.received).toEqual(["first", "missed"]);
    },
  );

  test.each(cases)(
    "recovers none whose secret it has given up, by $transport, skipMiddlewares: $skipMiddlewares",
    async ({ skipMiddlewares, transport }) => {
      const left = await leaveAndRotate(skipMiddlewares, transport, [newer]);
      const cookie = `sid=s:${sign(left.id, newer)}`;
      const { wire, raw } = await askFor(nodes, cookie, transport, wayOf(left));
      expect(wire).toContain('"name":"ada"');
      expect(wire).not.toContain("missed");
      raw.close();
    },
  );
});
