/** Given sockets on a node that is frozen while their session ends elsewhere. */
import { expect, test } from "vitest";
import { expectOver, expectUnharmed, logout, patience, visitorOf } from "../clients.ts";
import { expectFeed, type Nodes, shortly } from "../nodes.ts";
import { cutLink, freezeNode, heal, thawNode } from "../vocabulary.ts";

export function frozenNodeStories(nodes: () => Nodes): void {
  test.each([
    { name: "with its store in reach", isCutOff: false },
    { name: "cut off from its store", isCutOff: true },
  ])("a node frozen through a logout serves nothing stale when it is thawed, $name", async ({ isCutOff }) => {
    const { home, quick } = nodes();
    const ada = await visitorOf(home, quick, "ada");
    const eve = await visitorOf(home, quick, "eve");
    await expectFeed(quick, "whole");
    const { cookie } = ada.browser;
    for (const { socket, ticks } of [...ada.clients, ...eve.clients]) {
      await socket.emitWithAck("ticks");
      await expect.poll(() => ticks.length, patience).toBeGreaterThan(0);
    }

    freezeNode(quick);
    try {
      await logout(ada);
      const bound = Date.now() + shortly.staleMs;
      if (isCutOff) cutLink(quick, "silent");
      const answers: unknown[] = [];
      for (const { socket } of ada.clients) socket.emit("read", (answer: unknown) => answers.push(answer));
      await expect.poll(() => Date.now(), patience).toBeGreaterThan(bound);
      thawNode(quick);

      await Promise.all(ada.clients.map(({ closed }) => closed));
      expect(answers).toEqual([]);
      for (const { ticks } of ada.clients) expect(Math.max(...ticks)).toBeLessThanOrEqual(bound);
    } finally {
      thawNode(quick);
      await heal(quick);
    }
    await expectOver(quick, cookie);
    await expectUnharmed(eve, { name: "eve" });
    await expectFeed(quick, "whole");
  });

  test("a node frozen while an administrator ends sessions does so when it is thawed, with the words", async () => {
    const { home, slow } = nodes();
    const [ada, eve] = [await visitorOf(home, slow, "meant"), await visitorOf(home, slow, "eve")];
    await expectFeed(slow, "whole");
    const message = "We are closing for the night.";
    freezeNode(slow);
    try {
      expect(await home.browser().post("/end-all", { named: "meant", message })).toBe("1");
      await expectOver(home, ada.browser.cookie);
    } finally {
      thawNode(slow);
    }
    for (const { closed, told } of ada.clients) {
      expect(await closed).toBe("io server disconnect");
      expect(told).toEqual([{ reason: "revoked", message }]);
    }
    await expectOver(slow, ada.browser.cookie);
    await expectUnharmed(eve, { name: "eve" });
  });
}
