/** A receipt names the nodes that have closed a session's sockets, and no other; a list counts the sockets of all nodes. */
import type { Server } from "socket.io";
import type { Socket } from "socket.io-client";
import { afterEach, describe, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { describeEverywhere, describeKinds, type StoreKind, storeKinds } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let worlds: World[] = [];
afterEach(async () => {
  for (const one of worlds) await one.close();
  worlds = [];
});

async function startThree({ open, feed }: StoreKind): Promise<[World, World, World]> {
  const options = {
    store: open(),
    userId: ({ userId }: { readonly userId?: string }) => userId,
    device: ({ name }: { readonly name?: string }) => name,
    sockets: (io: Server) => installHandlers(io),
  };
  const start = (nodeName: string) => startWorld({ ...options, nodeName });
  const [one, two, three] = [await start("one"), await start("two"), await start("three")];
  worlds = [one, two, three];
  if (feed)
    for (const { sessions } of worlds) await expect.poll(() => sessions.stats().store.feed).toBe("whole");
  return [one, two, three];
}

const openSockets = (publicId: string) =>
  worlds.flatMap(({ io }) => serverSockets(io)).filter(({ session }) => session.publicId === publicId);

describeEverywhere("a receipt of an end", ({ store, transports, namespace }) => {
  test("names each node, once all its sockets are closed, and no socket of another session is", async () => {
    const [one, two, three] = await startThree(store);
    const ada = await one.visitor({ name: "ada" });
    const eve = await one.visitor({ name: "eve" });
    const connect = (world: World, visitor = ada) => visitor.at(world.url).connect(namespace, { transports });
    const sockets = [await connect(one), await connect(two), await connect(two)];
    const bystanders = [await connect(two, eve), await connect(three, eve)];
    const farewells = Promise.all(sockets.map(disconnected));
    const publicId = serverSockets(one.io)[0]?.session.publicId ?? "";
    expect(openSockets(publicId)).toHaveLength(3);

    const before = Date.now();
    const { nodes, unanswered, others, certainBy, ended } = await one.sessions.end(
      { publicId },
      { receipt: true, message: "Bye." },
    );
    const counts = new Map(nodes.map(({ node, sockets }) => [node, sockets]));
    for (const { ms } of nodes) expect(ms).toBeLessThanOrEqual(Date.now() - before);
    expect([ended, unanswered, nodes[0]?.node]).toEqual([true, [], "one"]);
    if (store.feed) {
      expect(openSockets(publicId)).toEqual([]);
      expect(await farewells).toEqual(sockets.map(() => "io server disconnect"));
      expect(counts).toEqual(new Map([["one", 1], ["two", 2], ["three", 0]])); // biome-ignore format: a table
      expect(others).toBe("asked");
      expect(certainBy).toBeGreaterThanOrEqual(before + 60_000);
      expect(certainBy).toBeLessThanOrEqual(Date.now() + 60_000);
    } else {
      expect(counts).toEqual(new Map([["one", 1]]));
      expect([others, certainBy]).toEqual(["unsupported", undefined]);
    }
    for (const socket of bystanders) expect(await socket.emitWithAck("read")).toEqual({ name: "eve" });
    expect(worlds.flatMap(({ errors }) => errors)).toEqual([]);
  });
});

describeKinds("a receipt", (store) => {
  test("of a session that is over says so, and asks no node for one that is not live here", async () => {
    const [one, two] = await startThree(store);
    const ada = await one.visitor({ name: "ada" });
    const { id } = JSON.parse(await ada.get("/session"));
    await ada.at(two.url).connect("/");
    const publicId = serverSockets(two.io)[0]?.session.publicId ?? "";
    expect(await one.sessions.end({ publicId }, { receipt: true })).toEqual({
      ...{ ended: false, nodes: [], unanswered: [], others: "not asked", certainBy: undefined },
    });
    expect(openSockets(publicId)).toHaveLength(1);
    await two.sessions.end(id);
    const receipt = await one.sessions.end(id, { receipt: true });
    expect(receipt).toMatchObject({
      ended: false,
      unanswered: [],
      nodes: [{ node: "one" }, {}, {}].slice(0, store.feed ? 3 : 1),
    });
    expect(openSockets(publicId)).toEqual([]);
  });
});

describeKinds(
  "a list with sockets",
  (store) => {
    test("counts those of each session on this node and on the others", async () => {
      const [one, two] = await startThree(store);
      const phone = await one.visitor({ userId: "ada", name: "phone" });
      const laptop = await one.visitor({ userId: "ada", name: "laptop" });
      await one.visitor({ userId: "ada", name: "tablet" });
      const sockets: Socket[] = [
        await phone.at(one.url).connect("/"),
        await phone.at(one.url).connect("/admin"),
        await phone.at(two.url).connect("/room-7"),
        await laptop.at(two.url).connect("/"),
      ];
      const counts = async () => {
        const listed = await one.sessions.user("ada").list({ sockets: true });
        return Object.fromEntries(listed.map(({ device, sockets }) => [device, sockets]));
      };
      expect(await counts()).toEqual({
        phone: { here: 2, others: 1, unanswered: [] },
        laptop: { here: 0, others: 1, unanswered: [] },
        tablet: { here: 0, others: 0, unanswered: [] },
      });
      for (const socket of sockets) socket.disconnect();
      await expect.poll(counts).toMatchObject({ phone: { here: 0, others: 0 }, laptop: { others: 0 } });
      for (const session of await one.sessions.user("ada").list())
        expect(session).not.toHaveProperty("sockets");
    });
  },
  storeKinds.filter(({ feed }) => feed),
);

describe("arguments", () => {
  test.each([1, "true", null, {}])("`receipt: %j` is refused before anything ends", async (receipt) => {
    const world = await startWorld();
    worlds = [world];
    const ada = await world.visitor();
    const { id } = JSON.parse(await ada.get("/session"));
    await expect(world.sessions.end(id, { receipt } as never)).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
  });

  test.each([1, "true", null, {}])("`sockets: %j` is refused", async (sockets) => {
    const world = await startWorld({ userId: ({ userId }) => userId });
    worlds = [world];
    await expect(world.sessions.user("ada").list({ sockets } as never)).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });
});
