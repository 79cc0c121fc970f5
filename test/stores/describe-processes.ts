import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import type { ClientPackage } from "../support/redis-clients.ts";
import { clearPlace, openStore, type StoreAddress } from "../support/store-address.ts";
import { start } from "./processes.ts";
import { keyOf } from "./session-keys.ts";

const later = () => Date.now() + 3_600_000;

/** A test of the store at a new address, from four processes that share nothing else; `clients`: which client each has. */
export function describeProcesses(open: () => StoreAddress, clients: readonly ClientPackage[] = []): void {
  const mix = clients.length > 0 ? `, by ${clients.join(", ")}` : "";
  it(`loses none of 400 increments by four processes${mix}`, { timeout: 120_000 }, async () => {
    const address = open();
    onTestFinished(() => clearPlace(address));
    const store = await openStore(address);
    onTestFinished(() => store.close());
    const key = keyOf("a session");
    await store.create(key, { cookie: {}, n: 0 }, later());
    const processes = Array.from({ length: 4 }, (_, n) =>
      start("fixtures/increment", [JSON.stringify({ ...address, client: clients[n] }), key.sid, "100"]),
    );
    const codes = await Promise.all(processes.map(async (child) => (await once(child, "exit"))[0]));
    expect(codes).toEqual([0, 0, 0, 0]);
    expect((await store.read(key))?.document.n).toBe(400);
  });
}
