/** Given sockets under a rule, on a node whose feed is cut, when a request on another node makes the rule false. */
import type { Socket } from "socket.io-client";
import { forbiddenEvent } from "socket-session";
import { describe, expect, test } from "vitest";
import { connected, refused } from "../../support/browser.ts";
import type { NodeProcess } from "../../support/node-process.ts";
import { ask, patience, visitorOf } from "../clients.ts";
import type { NetworkedStore } from "../networked-stores.ts";
import { expectFeed, type Nodes } from "../nodes.ts";
import { dropFeed, heal } from "../vocabulary.ts";

const namespace = "/ruled";

/** A visitor of one node, with clients on another, by every transport, in the room and the namespace of the rule. */
async function ruledVisitor(home: NodeProcess, elsewhere: NodeProcess) {
  const { browser, clients } = await visitorOf(home, elsewhere, "ada");
  const ruled = clients.map(async ({ socket: main, told }) => {
    await main.emitWithAck("follow", namespace);
    const inside = main.io.socket(namespace);
    await connected(inside);
    expect(await main.emitWithAck("join")).toBe(true);
    const events: { main: unknown[]; inside: unknown[] } = { main: [], inside: [] };
    main.onAny((...event) => events.main.push(event));
    inside.onAny((...event) => events.inside.push(event));
    return { main, inside, events, told };
  });
  return { browser, clients: await Promise.all(ruled) };
}

/** It stays away: by the farewell, or refused when it came back. */
const isOut = (socket: Socket) => !socket.connected && !socket.active;

export function ruleStories(store: NetworkedStore, nodes: () => Nodes): void {
  describe.each(["visible", "silent"] as const)(
    "a rule that turns false while the feed is cut, by a %s cut",
    (cut) => {
      test("takes the sockets out within revalidateIntervalMs: before the feed is healed", async () => {
        const { home, quick } = nodes();
        const ada = await ruledVisitor(home, quick);
        await expectFeed(quick, "whole");
        dropFeed(quick, cut);
        await ada.browser.post("/write", { name: "eve" });
        for (const { main, inside, events, told } of ada.clients) {
          await expect.poll(() => isOut(inside), patience).toBe(true);
          expect(await ask(main, "read")).toEqual({ name: "eve" });
          expect(told).toEqual([]);
          const isClosed = cut === "visible" && store.feedSharesPool;
          if (!isClosed || events.inside.length > 0)
            expect(events.inside).toEqual([[forbiddenEvent, { code: "NOT_ADA", namespace }]]);
          const again = refused(inside);
          inside.connect();
          expect((await again).data).toEqual({ code: "NOT_ADA" });
        }
        await expectFeed(quick, "broken");
        await heal(quick);
        await expectFeed(quick, "whole");
      });

      test("takes them out when the feed is healed, if that is sooner, and says nothing until then", async () => {
        const { home, slow } = nodes();
        const ada = await ruledVisitor(home, slow);
        await expectFeed(slow, "whole");
        dropFeed(slow, cut);
        await ada.browser.post("/write", { name: "eve" });
        for (const { main, inside, events } of ada.clients) {
          expect(await main.emitWithAck("read")).toEqual({ name: "ada" });
          expect([inside.connected, events]).toEqual([true, { main: [], inside: [] }]);
        }
        await heal(slow);
        for (const { main, inside, events, told } of ada.clients) {
          await expect.poll(() => isOut(inside), patience).toBe(true);
          expect(await main.emitWithAck("read")).toEqual({ name: "eve" });
          expect(events).toEqual({
            main: [[forbiddenEvent, { code: "NOT_ADA", room: "adas" }]],
            inside: [[forbiddenEvent, { code: "NOT_ADA", namespace }]],
          });
          expect(told).toEqual([]);
        }
        await expectFeed(slow, "whole");
      });
    },
  );
}
