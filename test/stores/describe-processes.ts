import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import type { ClientPackage } from "../support/redis-clients.ts";
import { clearPlace, openStore, type StoreAddress } from "../support/store-address.ts";
import { message, start } from "./processes.ts";
import { keyOf } from "./session-keys.ts";

const later = () => Date.now() + 3_600_000;

/** Tests of the store at a new address, from four processes that share nothing else; `clients`: which client each has. */
export function describeProcesses(open: () => StoreAddress, clients: readonly ClientPackage[] = []): void {
  const mix = clients.length > 0 ? `, by ${clients.join(", ")}` : "";

  async function opened() {
    const address = open();
    onTestFinished(() => clearPlace(address));
    const store = await openStore(address);
    onTestFinished(() => store.close());
    const startFour = (fixture: string, args: string[]) =>
      Array.from({ length: 4 }, (_, n) =>
        start(fixture, [JSON.stringify({ ...address, client: clients[n] }), ...args]),
      );
    return { store, startFour };
  }

  it(`loses none of 400 increments by four processes${mix}`, { timeout: 120_000 }, async () => {
    const { store, startFour } = await opened();
    const key = keyOf("a session");
    await store.create(key, { cookie: {}, n: 0 }, later());
    const processes = startFour("fixtures/increment", [key.sid, "100"]);
    const codes = await Promise.all(processes.map(async (child) => (await once(child, "exit"))[0]));
    expect(codes).toEqual([0, 0, 0, 0]);
    expect((await store.read(key))?.document.n).toBe(400);
  });

  it(`gives each of 100 tickets to one of four processes${mix}`, { timeout: 120_000 }, async () => {
    const { store, startFour } = await opened();
    const ids = Array.from({ length: 100 }, () => randomBytes(32).toString("base64url"));
    for (const id of ids) await store.putTicket?.(id, `of ${id}`, later());
    const processes = startFour("fixtures/take-tickets", [JSON.stringify(ids)]);
    expect(await Promise.all(processes.map(message))).toEqual(Array(4).fill("opened"));
    for (const child of processes) child.send("go");
    const taken = await Promise.all(processes.map(message));
    const winners = ids.map((_, n) =>
      taken.map((values) => Object(values)[n]).filter((value) => value !== null),
    );
    expect(winners).toEqual(ids.map((id) => [`of ${id}`]));
    expect(await Promise.all(ids.map((id) => store.takeTicket?.(id)))).toEqual(ids.map(() => null));
  });
}
