/** Given sockets at work on two nodes, when their store crashes and is started again with its data. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../../scripts/services/server.mjs";
import { refused } from "../../support/browser.ts";
import { type NodeProcess, startNodes } from "../../support/node-process.ts";
import { newPlace } from "../../support/store-address.ts";
import { ask, type Client, clientOf, expectOver, inTurns, patience } from "../clients.ts";
import { type Load, startLoad } from "../load.ts";
import type { NetworkedStore } from "../networked-stores.ts";
import { expectSound, shortly } from "../nodes.ts";
import { killStore, restartStore } from "../vocabulary.ts";

const busySessions = 3;
const leavingSessions = 60;
const websocket = ["websocket"];

export function storeRestartStories(store: NetworkedStore & { startServer(): Promise<Server> }): void {
  let server: Server;
  let nodes: NodeProcess[] = [];

  beforeAll(async () => {
    server = await store.startServer();
    const options = { ...shortly, storeTimeoutMs: 2_000 };
    const setting = { store: { kind: store.kind, url: server.url, place: newPlace() }, options };
    nodes = await startNodes([setting, setting]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await server?.close();
  }, 60_000);

  test("a store killed and restarted under load loses no acknowledged write, and revives no session", async () => {
    const [first, second] = nodes;
    if (!first || !second) throw new Error("Expected two nodes.");
    const leaving = await inTurns(Array.from({ length: leavingSessions }), () => first.visitor());
    const idle = await second.visitor({ name: "idle" });
    const witness = await clientOf(idle, websocket);
    await ask(witness.socket, "ticks");
    const loads = await Promise.all(Array.from({ length: busySessions }, () => busySession(first, second)));
    const gone: string[] = [];
    const departures = (async () => {
      for (const browser of leaving) {
        const { cookie } = browser;
        const { status } = await browser.request("/logout", { method: "POST" });
        if (status === 200) gone.push(cookie);
      }
    })();
    await expect.poll(() => gone.length, patience).toBeGreaterThan(leavingSessions / 6);
    for (const load of loads) await expect.poll(() => load.acknowledged, patience).toBeGreaterThan(3);

    const killedAt = Date.now();
    await killStore(server);
    const bound = Date.now() + shortly.staleMs;
    expect(await witness.socket.emitWithAck("read"), "served from the snapshot").toEqual({ name: "idle" });
    const late = idle.socket("/", { transports: websocket, reconnectionDelay: 100 });
    const refusal = await refused(late);
    expect(refusal.data, "to be tried again").toBeUndefined();
    expect(await witness.closed).toMatch(/^transport /);
    const last = Math.max(...witness.ticks);
    expect(last, "nothing is delivered after the bound").toBeLessThanOrEqual(bound);
    expect(last, "one failed read is no reason to close").toBeGreaterThan(
      killedAt + shortly.revalidateIntervalMs,
    );

    const before = loads.map((load) => load.acknowledged);
    await restartStore(server);
    expect(await ask(late, "read")).toEqual({ name: "idle" });
    expect(await ask(witness.socket, "read")).toEqual({ name: "idle" });
    expect(witness.told).toEqual([]);
    for (const [index, load] of loads.entries())
      await expect.poll(() => load.acknowledged, patience).toBeGreaterThan((before[index] ?? 0) + 3);
    await Promise.all([...loads.map((load) => load.stop()), departures]);
    for (const load of loads) await load.expectKept(nodes);
    for (const cookie of gone) for (const node of nodes) await expectOver(node, cookie);
    expectSound(nodes);
  });
}

async function busySession(first: NodeProcess, second: NodeProcess): Promise<Load> {
  const browser = await first.visitor({ name: "busy" });
  const guests = [first, second].map((node) => node.guest(browser));
  const clients: Client[] = await Promise.all(guests.map((guest) => clientOf(guest, websocket)));
  return startLoad(browser.cookie, clients);
}
