/** Given sockets on a node whose feed is cut, when their session is logged out on another node. */
import { describe, expect, test } from "vitest";
import { expectClosed, expectDismissed, expectOver, expectUnharmed, logout, visitorOf } from "../clients.ts";
import type { NetworkedStore } from "../networked-stores.ts";
import { expectFeed, type Nodes } from "../nodes.ts";
import { dropFeed, heal } from "../vocabulary.ts";

export function feedCutStories(store: NetworkedStore, nodes: () => Nodes): void {
  describe.each(["visible", "silent"] as const)("a logout while the feed is cut, by a %s cut", (cut) => {
    test("closes the sockets within revalidateIntervalMs: before the feed is healed", async () => {
      const { home, quick } = nodes();
      const ada = await visitorOf(home, quick, "ada");
      const eve = await visitorOf(home, quick, "eve");
      await expectFeed(quick, "whole");
      const { cookie } = ada.browser;
      dropFeed(quick, cut);
      await logout(ada);
      if (cut === "visible" && store.feedSharesPool) await expectClosed(ada);
      else await expectDismissed(ada);
      await expectFeed(quick, "broken");
      await expectOver(quick, cookie);
      await heal(quick);
      await expectFeed(quick, "whole");
      await expectUnharmed(eve, { name: "eve" });
      await expectOver(quick, cookie);
    });

    test("closes the sockets when the feed is healed, if that is sooner", async () => {
      const { home, slow } = nodes();
      const ada = await visitorOf(home, slow, "ada");
      const eve = await visitorOf(home, slow, "eve");
      await expectFeed(slow, "whole");
      const { cookie } = ada.browser;
      dropFeed(slow, cut);
      await logout(ada);
      // Nobody has told this node, and it has no reason to ask yet.
      for (const { socket } of ada.clients) expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
      await heal(slow);
      await expectDismissed(ada);
      await expectFeed(slow, "whole");
      await expectUnharmed(eve, { name: "eve" });
      await expectOver(slow, cookie);
    });
  });
}
