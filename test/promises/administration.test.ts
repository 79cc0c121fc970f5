/** What an administrator does on one node is so on all: processes that share a store and nothing else. */
import type { Socket } from "socket.io-client";
import { forbiddenEvent, liveSessions } from "socket-session";
import { signIn } from "socket-session/testing";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { type Browser, connected, disconnected, refused } from "../support/browser.ts";
import { connectOn } from "../support/connect-on.ts";
import type { NodeProcess } from "../support/node-process.ts";
import { useSharedNodes } from "../support/shared-nodes.ts";
import { redisCluster, sharedStores } from "../support/shared-stores.ts";
import { openStore, type StoreAddress } from "../support/store-address.ts";
import { secret } from "../support/world.ts";

const hour = 3_600_000;
const message = "Your account was closed — ask Zoë. 🔒";
const revoked = { reason: "revoked", message };

/** The cookie of a session that another process has stored `ms` ago. */
async function signInEarlier(address: StoreAddress, ms: number, data: object): Promise<string> {
  const clock = { ...systemClock, now: () => Date.now() - ms };
  const sessions = liveSessions({
    ...{ store: await openStore(address), name: "sid", secret, clock, absoluteMs: hour },
  });
  const cookie = await signIn(sessions, data);
  await sessions.close();
  return cookie;
}

/** What each of the pages is told at the end of its session, once all are disconnected for good. */
async function farewells(sockets: readonly Socket[]): Promise<unknown[]> {
  const told: unknown[] = [];
  for (const socket of sockets) socket.on("session:end", (end) => told.push(end));
  expect(await Promise.all(sockets.map(disconnected))).toEqual(sockets.map(() => "io server disconnect"));
  return told;
}

const publicIdOf = (visitor: Browser) => visitor.get("/public-id");
const idOf = async (visitor: Browser) => JSON.parse(await visitor.get("/session")).id;
const namesOf = (sockets: readonly Socket[]) =>
  Promise.all(sockets.map(async (socket) => (await socket.emitWithAck("read")).name));

async function expectOver(nodes: readonly NodeProcess[], ...visitors: readonly Browser[]): Promise<void> {
  for (const visitor of visitors)
    for (const node of nodes)
      expect((await refused(node.guest(visitor).socket("/"))).data).toEqual({ code: "SESSION_ENDED" });
}

for (const store of [...sharedStores, redisCluster]) {
  store.describe(`three processes that share ${store.name}`, { timeout: 60_000 }, () => {
    const nodes = useSharedNodes(store, 3, { absoluteMs: hour });
    const { node } = nodes;
    const call = async (path: string, options: object) =>
      JSON.parse(await node(1).browser().post(path, options));

    // At the same time, as one of them waits for real time.
    describe.concurrent("of a session", () => {
      const ways: [string, string, (visitor: Browser, socket: Socket) => Promise<unknown>][] = [
        ["session.end({ message })", "destroyed", async (_, socket) => socket.emit("end-with", { message })],
        [
          "session.end({ reason, message })",
          "revoked",
          async (_, socket) => socket.emit("end-with", revoked),
        ],
        [
          "sessions.end(id, { message })",
          "revoked",
          async (visitor) => call("/end", { id: await idOf(visitor), message }),
        ],
        [
          "user(id).end({ message })",
          "revoked",
          async () => expect(await call("/end-user", { user: "with words", message })).toBe(1),
        ],
      ];

      test.each(ways)("the words of %s reach its pages on all nodes", async (way, reason, end) => {
        const ada = await node(1).visitor({
          name: way,
          userId: way.startsWith("user") ? "with words" : null,
        });
        const socket = await node(1).guest(ada).connect("/", { reconnection: false });
        const sockets = await connectOn([node(2), node(3)], ada);
        const told = farewells([socket, ...sockets]);
        await end(ada, socket);
        expect(await told).toEqual([socket, ...sockets].map(() => ({ reason, message })));
        await expectOver(nodes.all, ada);
      });

      test("of one user are ended one by one, and all but one, live on another node or nowhere", async () => {
        const login = () => node(1).visitor({ name: "bob", userId: "bob" });
        const [there, nowhere, kept, last] = [await login(), await login(), await login(), await login()];
        const [sockets, keptSockets] = [await connectOn([node(2)], there), await connectOn([node(3)], kept)];
        const end = (options: object) => call("/end-user", { user: "bob", ...options });
        const told = farewells(sockets);
        expect(await end({ publicId: await publicIdOf(there), message })).toBe(1);
        expect(await told).toEqual(sockets.map(() => revoked));
        expect(await end({ publicId: await publicIdOf(nowhere) })).toBe(1);
        expect(await end({ exceptPublicId: await publicIdOf(kept) })).toBe(1);
        await expectOver(nodes.all, there, nowhere, last);
        expect(await namesOf(keptSockets)).toEqual(keptSockets.map(() => "bob"));
        const toldKept = farewells(keptSockets);
        expect(await end({ message })).toBe(1);
        expect(await toldKept).toEqual(keptSockets.map(() => revoked));
      });

      test("an absolute life time is over on all nodes, however much the session is used", async () => {
        const ada = node(1).browser();
        ada.cookie = await signInEarlier(nodes.address, hour - 6_000, { name: "ada" });
        const sockets = await connectOn(nodes.all, ada);
        const told = farewells(sockets);
        await Promise.all(sockets.map((socket) => socket.emitWithAck("increment")));
        expect(await told).toEqual(sockets.map(() => ({ reason: "expired" })));
        await expectOver(nodes.all, ada);
      });

      test("a rule that a request makes false holds on the others before anything else arrives, and nothing ends", async ({
        expect,
      }) => {
        const ada = await node(1).visitor({ name: "ada" });
        const witness = await node(1).visitor({ name: "ada", m: 1 });
        const places = [node(2), node(3)].flatMap((one) => [
          { one, transports: ["polling"], namespace: "/ruled" },
          { one, transports: ["websocket"], namespace: "/ruled-7" },
        ]);
        const enter = async (visitor: Browser, { one, transports, namespace }: (typeof places)[number]) => {
          const main = await one.guest(visitor).connect("/", { transports });
          await main.emitWithAck("follow", namespace);
          const inside = main.io.socket(namespace);
          await connected(inside);
          expect(await main.emitWithAck("join")).toBe(true);
          const events: { main: unknown[]; inside: unknown[] } = { main: [], inside: [] };
          main.onAny((...event) => events.main.push(event));
          inside.onAny((...event) => events.inside.push(event));
          return { main, inside, namespace, events, left: disconnected(inside) };
        };
        const entered = await Promise.all(places.map((place) => enter(ada, place)));
        const witnesses = await Promise.all(places.map((place) => enter(witness, place)));
        await ada.post("/write", { name: "eve" });
        for (const { events } of witnesses)
          for (const received of [events.main, events.inside])
            await expect.poll(() => received).toContainEqual(["changed", "eve"]);
        for (const { main, inside, namespace, events, left } of entered) {
          expect(await left).toBe("io server disconnect");
          expect(await main.emitWithAck("read")).toEqual({ name: "eve" });
          expect(events.inside).toEqual([[forbiddenEvent, { code: "NOT_ADA", namespace }]]);
          expect(events.main).toEqual([[forbiddenEvent, { code: "NOT_ADA", room: "adas" }]]);
          const again = refused(inside);
          inside.connect();
          expect((await again).data).toEqual({ code: "NOT_ADA" });
        }
        for (const one of nodes.all) {
          expect((await one.guest(ada).request("/ruled")).status).toBe(403);
          expect(await one.guest(witness).get("/ruled")).toBe("in");
        }
      });
    });

    test("endAll ends the sessions that are meant, live on any node or nowhere, and no others", async () => {
      await call("/end-all", {});
      const old = node(1).browser();
      old.cookie = await signInEarlier(nodes.address, hour / 2, { name: "old" });
      const login = (name: string) => node(1).visitor({ name });
      const [admin, ada, bob, nowhere] = [
        await login("admin"),
        await login("ada"),
        await login("bob"),
        await login("ada"),
      ];
      const others = [node(2), node(3)];
      const ends = async (visitor: Browser, options: object) => {
        const sockets = await connectOn(others, visitor);
        const told = farewells(sockets);
        const count = await call("/end-all", { ...options, message });
        expect(await told).toEqual(sockets.map(() => revoked));
        return count;
      };
      const adminSockets = await connectOn(others, admin);
      expect(await ends(old, { before: Date.now() - hour / 4 })).toBe(1);
      expect(await ends(ada, { named: "ada" })).toBe(2);
      expect(await ends(bob, { exceptPublicIds: [await publicIdOf(admin)] })).toBe(1);
      await expectOver(nodes.all, old, ada, bob, nowhere);
      expect(await namesOf(adminSockets)).toEqual(adminSockets.map(() => "admin"));
    });
  });
}
