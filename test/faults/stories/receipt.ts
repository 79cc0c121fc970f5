/** Given sockets on nodes that are frozen, cut off, or just starting, when their session is ended with a receipt elsewhere. */
import { expect, test } from "vitest";
import type { EndReceipt } from "../../../src/session/end-receipt.ts";
import { startNode } from "../../support/node-process.ts";
import {
  clientOf,
  expectClosed,
  expectOver,
  expectUnharmed,
  patience,
  type Visitor,
  visitorOf,
} from "../clients.ts";
import { expectFeed, type Nodes, shortly } from "../nodes.ts";
import { dropFeed, freezeNode, heal, thawNode } from "../vocabulary.ts";

/** The stories are about what it says, not about how fast it is. */
async function endWithReceipt({ browser }: Pick<Visitor, "browser">): Promise<EndReceipt> {
  const { status, body } = await browser.request("/receipt", { method: "POST" });
  expect(status, body).toBe(200);
  return JSON.parse(body);
}

/** Without the node of a story that has ended: it was killed, and is not forgotten yet. */
const namesOf = (nodes: readonly { readonly node: string }[]) =>
  nodes
    .map(({ node }) => node)
    .filter((name) => name !== "joining")
    .sort();

/** The visitor, whose clients receive ticks. */
async function tickingVisitor({ home, quick }: Nodes, name: string): Promise<Visitor> {
  const visitor = await visitorOf(home, quick, name);
  for (const { socket, ticks } of visitor.clients) {
    await socket.emitWithAck("ticks");
    await expect.poll(() => ticks.length, patience).toBeGreaterThan(0);
  }
  return visitor;
}

export function receiptStories(nodes: () => Nodes): void {
  test("a receipt names the nodes that have closed their sockets, and how many", async () => {
    const { home, quick, slow } = nodes();
    const ada = await visitorOf(home, quick, "ada");
    const here = await clientOf(home.guest(ada.browser), ["websocket"]);
    for (const node of [home, quick, slow]) await expectFeed(node, "whole");
    const closed = Promise.all([...ada.clients, here].map((client) => client.closed));
    const { ended, others, unanswered, nodes: named } = await endWithReceipt(ada);
    expect({ ended, others, unanswered }).toEqual({ ended: true, others: "asked", unanswered: [] });
    expect(named.map(({ node, sockets }) => [node, sockets]).sort()).toEqual([
      ["home", 1],
      ["quick", 3],
      ["slow", 0],
    ]);
    expect(await closed).toEqual(Array(4).fill("io server disconnect"));
  });

  test("a frozen node is never confirmed, and serves nothing after its lease; one that joins during the wait is neither", async () => {
    const { address, home, quick, slow } = nodes();
    const ada = await tickingVisitor(nodes(), "ada");
    const eve = await visitorOf(home, quick, "eve");
    for (const node of [home, quick, slow]) await expectFeed(node, "whole");
    const { cookie } = ada.browser;
    freezeNode(quick);
    const joining = startNode({ store: address, options: { ...shortly, nodeName: "joining" } });
    try {
      const { nodes: named, unanswered, others } = await endWithReceipt(ada);
      expect(namesOf(named)).toEqual(["home", "slow"]);
      expect(namesOf(unanswered)).toEqual(["quick"]);
      expect(others).toBe("asked");
      const certainBy = unanswered[0]?.certainBy ?? Number.POSITIVE_INFINITY;
      await expect.poll(() => Date.now(), patience).toBeGreaterThan(certainBy);
      thawNode(quick);
      await expectClosed(ada);
      for (const { ticks } of ada.clients) expect(Math.max(...ticks)).toBeLessThanOrEqual(certainBy);
      await expectOver(await joining, cookie);
    } finally {
      thawNode(quick);
      await (await joining).close();
    }
    await expectUnharmed(eve, { name: "eve" });
    await expectFeed(quick, "whole");
    const eves = await endWithReceipt(eve);
    expect(namesOf(eves.nodes)).toEqual(["home", "quick", "slow"]);
  });

  test.each(["visible", "silent"] as const)(
    "a node whose feed is cut is not confirmed, by a %s cut",
    async (cut) => {
      const { quick } = nodes();
      const ada = await tickingVisitor(nodes(), "ada");
      await expectFeed(quick, "whole");
      dropFeed(quick, cut);
      const { nodes: named, unanswered } = await endWithReceipt(ada);
      expect(namesOf(named)).toEqual(["home", "slow"]);
      expect(namesOf(unanswered)).toEqual(["quick"]);
      const certainBy = unanswered[0]?.certainBy ?? Number.POSITIVE_INFINITY;
      await expectClosed(ada);
      for (const { ticks } of ada.clients) expect(Math.max(...ticks)).toBeLessThanOrEqual(certainBy);
      await heal(quick);
      await expectFeed(quick, "whole");
    },
  );
}
