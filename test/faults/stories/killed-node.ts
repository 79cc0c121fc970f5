/** Given a session at work on two nodes, when one of them crashes. Ends the node: the last story of its file. */
import { expect, test } from "vitest";
import { clientOf, expectDismissed, expectOver, logout, patience } from "../clients.ts";
import { startLoad } from "../load.ts";
import type { Nodes } from "../nodes.ts";
import { killNode } from "../vocabulary.ts";

export function killedNodeStories(nodes: () => Nodes): void {
  test("a node killed at work leaves nothing locked, nothing lost, and its visitors get in elsewhere", async () => {
    const { home, quick } = nodes();
    const browser = await home.visitor({ name: "ada" });
    const { cookie } = browser;
    const here = await clientOf(home.guest(browser), ["websocket"]);
    const there = await clientOf(quick.guest(browser), ["websocket"]);
    const load = startLoad(cookie, [here, there]);
    await expect.poll(() => load.acknowledged, patience).toBeGreaterThan(20);

    await killNode(quick);
    expect(await there.closed).toMatch(/^transport /);
    there.socket.disconnect();
    const before = load.acknowledged;
    await expect.poll(() => load.acknowledged, patience).toBeGreaterThan(before + 20);
    await load.stop();
    await load.expectKept([home]);
    const again = await clientOf(home.guest(browser), ["polling"]);
    await logout({ browser });
    await expectDismissed({ browser, clients: [here, again] });
    await expectOver(home, cookie);
  });
}
