/** Given sockets here, when an application with plain `connect-*` writes to their session and ends it. */
import { expect, test } from "vitest";
import { Browser } from "../../support/browser.ts";
import { transportKinds } from "../../support/matrix.ts";
import { startProcess } from "../../support/node-process.ts";
import {
  ask,
  clientOf,
  expectDismissed,
  expectOver,
  expectUnharmed,
  patience,
  visitorOf,
} from "../clients.ts";
import type { Nodes } from "../nodes.ts";

const script = new URL("../fixtures/peer-process.ts", import.meta.url);

export function otherPackageStories(nodes: () => Nodes): void {
  test("another package's write is seen, its logout closes the sockets, and nothing undoes it", async () => {
    const { address, home } = nodes();
    const eve = await visitorOf(home, home, "eve");
    const complaints: unknown[] = [];
    const peer = await startProcess(script, address, (message) => complaints.push(message));
    try {
      const theirs = new Browser(peer.url);
      await theirs.post("/login", { name: "ada" });
      const { cookie } = theirs;
      const guest = home.guest(theirs);
      const clients = await Promise.all(transportKinds.map(({ transports }) => clientOf(guest, transports)));
      const sockets = clients.map(({ socket }) => socket);
      for (const socket of sockets) expect(await ask(socket, "read")).toEqual({ name: "ada" });

      await theirs.post("/write", { name: "lovelace" });
      for (const socket of sockets)
        await expect.poll(() => ask(socket, "read"), patience).toEqual({ name: "lovelace" });

      // Before anybody here has heard of it: an update is made on top of what is stored.
      await theirs.post("/write", { m: 5 });
      expect(await sockets[0]?.emitWithAck("add")).toEqual({ n: 1 });
      expect(JSON.parse(await theirs.get("/session")).data).toEqual({ name: "lovelace", m: 5, n: 1 });

      const updates = sockets.map(async (socket) => {
        while (socket.connected) await socket.emitWithAck("add").catch(() => {}); // the end is told elsewhere
      });
      expect(await theirs.post("/logout")).toBe("out");
      await expectDismissed({ browser: theirs, clients });
      await Promise.all(updates);
      theirs.cookie = cookie;
      expect(JSON.parse(await theirs.get("/session")).data).toEqual({});
      await expectOver(home, cookie);
      await expectUnharmed(eve, { name: "eve" });
      expect(complaints).toEqual([]);
    } finally {
      await peer.kill();
    }
  });
}
