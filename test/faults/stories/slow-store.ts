/** Given a store that answers everything half a second late, when two hundred clients connect. */
import { expect, test } from "vitest";
import { transportKinds } from "../../support/matrix.ts";
import { ask, type Client, clientOf, expectDismissed, inTurns, logout, visitorOf } from "../clients.ts";
import { expectFeed, type Nodes } from "../nodes.ts";
import { delayLink, heal } from "../vocabulary.ts";

const visitors = 200;

export function slowStoreStories(nodes: () => Nodes): void {
  test("a slow store lets two hundred clients in, each to its own session, and a logout out", async () => {
    const { home, slow } = nodes();
    const names = Array.from({ length: visitors }, (_, index) => `visitor ${index}`);
    const browsers = await inTurns(names, (name) => home.visitor({ name }));
    const ada = await visitorOf(home, slow, "ada");
    await expectFeed(slow, "whole");

    delayLink(slow, 500);
    const connecting = browsers.map((browser, index) =>
      clientOf(slow.guest(browser), transportKinds[index % transportKinds.length]?.transports ?? []),
    );
    await logout(ada);
    await expectDismissed(ada);
    const clients: Client[] = await Promise.all(connecting);
    const disconnections: string[] = [];
    for (const { closed } of clients) void closed.then((reason) => disconnections.push(reason));
    const read = await Promise.all(clients.map(({ socket }) => ask(socket, "read")));
    expect(read).toEqual(names.map((name) => ({ name })));
    expect(disconnections).toEqual([]);
    await heal(slow);
    await expectFeed(slow, "whole");
    for (const { socket } of clients) socket.disconnect();
  });
}
