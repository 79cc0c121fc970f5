import { describe, expect, test } from "vitest";
import { type Browser, disconnected, refused } from "../support/browser.ts";
import { connectOn } from "../support/connect-on.ts";
import { installHandlers } from "../support/handlers.ts";
import { namespaceKinds, storeKinds, transportKinds } from "../support/matrix.ts";
import { useSharedNodes } from "../support/shared-nodes.ts";
import { sharedStores } from "../support/shared-stores.ts";
import { startWorld } from "../support/world.ts";

const dataOf = async (browser: Browser) => JSON.parse(await browser.get("/session")).data;

/** What another node has written comes as fast as the feed, on this machine: by the next revalidation it is too late. */
const patience = { timeout: 20_000 };

for (const store of sharedStores) {
  store.describe(`four processes that share ${store.name} and nothing else`, { timeout: 60_000 }, () => {
    const nodes = useSharedNodes(store, 4);
    const { node } = nodes;

    describe.each(transportKinds)("by $name", ({ transports: kind }) => {
      const transports = [...kind];

      test.each(namespaceKinds)(
        "a write on one is in the events of another, in $name",
        async ({ namespace }) => {
          const ada = await node(1).visitor({ name: "ada" });
          const here = await ada.connect(namespace, { transports });
          const there = await node(2).guest(ada).connect(namespace, { transports });
          await ada.post("/write", { name: "lovelace" });
          await expect.poll(() => there.emitWithAck("read"), patience).toEqual({ name: "lovelace" });
          await there.emitWithAck("increment");
          await expect.poll(() => here.emitWithAck("read"), patience).toEqual({ name: "lovelace", n: 1 });
          expect(await dataOf(ada)).toEqual({ name: "lovelace", n: 1 });
        },
      );
    });

    test("400 increments by the sockets and requests of all four, by every transport, are 400", async () => {
      const ada = await node(1).visitor({ name: "ada" });
      const counts = nodes.all.map(async (one, index) => {
        const visitor = one.guest(ada);
        const { transports = [] } = transportKinds[index % transportKinds.length] ?? {};
        const socket = await visitor.connect("/", { transports: [...transports] });
        const bySocket = Array.from({ length: 80 }, () => socket.emitWithAck("increment"));
        for (let i = 0; i < 20; i++) await visitor.post("/update");
        await Promise.all(bySocket);
      });
      await Promise.all(counts);
      for (const one of nodes.all) expect(await dataOf(one.guest(ada))).toEqual({ name: "ada", n: 400 });
    }, 120_000);

    test("requests on all others see a login on one at once, and none accepts the old id", async () => {
      const ada = await node(1).visitor({ name: "ada" });
      const { cookie: before } = ada;
      for (const one of nodes.all) expect(await dataOf(one.guest(ada))).toEqual({ name: "ada" });
      await ada.post("/login", { name: "lovelace" });
      expect(ada.cookie).not.toBe(before);
      for (const one of nodes.all) {
        expect(await dataOf(one.guest(ada))).toEqual({ name: "lovelace" });
        const old = one.browser();
        old.cookie = before;
        expect(await dataOf(old)).toEqual({});
      }
    });

    // At the same time: what they wait for is real time.
    describe.concurrent.each([
      { end: "a logout", path: "/logout", body: {}, reason: "destroyed" },
      { end: "sessions.logout", path: "/new-logout", body: {}, reason: "destroyed" },
      { end: "a regenerate", path: "/regenerate", body: {}, reason: undefined },
      { end: "sessions.login", path: "/new-login", body: { name: "lovelace" }, reason: undefined },
      // Long enough for all nodes to learn of it: one that learns afterwards finds that it is gone, and not why.
      { end: "expiry", path: "/live-for", body: { ms: 4_000 }, reason: "expired" },
    ])("$end on one", ({ path, body, reason }) => {
      test("closes the sockets on the others, by every transport, and none of another session", async () => {
        const ada = await node(1).visitor({ name: "ada" });
        const eve = await node(1).visitor({ name: "eve" });
        const others = [node(2), node(3)];
        const hers = await connectOn(others, eve);
        const sockets = await connectOn(others, ada);
        const told: unknown[] = [];
        for (const socket of sockets) socket.on("session:end", (end) => told.push(end));
        const gone = Promise.all(sockets.map(disconnected));
        const { cookie } = ada;
        await ada.post(path, body);
        expect(await gone).toEqual(
          sockets.map(() => (reason ? "io server disconnect" : expect.stringMatching(/^transport /))),
        );
        expect(told).toEqual(reason ? sockets.map(() => ({ reason })) : []);
        for (const one of nodes.all) {
          const old = one.browser();
          old.cookie = cookie;
          expect((await refused(old.socket("/"))).data).toEqual({ code: "SESSION_ENDED" });
        }
        for (const socket of hers) expect(await socket.emitWithAck("read")).toEqual({ name: "eve" });
      });
    });
  });
}

describe("two nodes over a wrapped store, which has no feed", () => {
  test("see each other's changes and ends within revalidateIntervalMs", async () => {
    const kind = storeKinds.find(({ feed }) => !feed);
    const store = kind?.open() ?? "none";
    const options = { store: store as never, revalidateIntervalMs: 50 };
    const own = await startWorld({ ...options, sockets: (io) => installHandlers(io) });
    const second = await startWorld({ ...options, sockets: (io) => installHandlers(io) });
    try {
      const ada = await own.visitor({ name: "ada" });
      const there = second.browser();
      there.cookie = ada.cookie;
      const socket = await there.connect("/");
      const gone = disconnected(socket);
      await ada.post("/write", { name: "lovelace" });
      await expect.poll(() => socket.emitWithAck("read")).toEqual({ name: "lovelace" });
      await ada.post("/logout");
      expect(await gone).toBe("io server disconnect");
      expect(own.sessions.stats().store).toMatchObject({ name: "MemoryStore", atomic: false, feed: "none" });
      expect(own.sessions.stats().store.limits).toHaveLength(3);
    } finally {
      await Promise.all([own.close(), second.close()]);
    }
  });
});
