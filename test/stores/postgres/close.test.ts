/** How the connection of the feed is closed: with a goodbye, or cut if the server does not answer. */
import { once } from "node:events";
import { Client } from "pg";
import { expect, it, vi } from "vitest";
import { Heard, openFeed } from "../heard.ts";
import { start } from "../processes.ts";
import { keyOf } from "../session-keys.ts";
import { startProxy } from "./proxy.ts";
import { describeWithPostgres, postgresUrl, testStore, testTable, watched } from "./tables.ts";

const waiting = { timeout: 10_000, interval: 5 };

/** A class of clients that remembers them, and whether the socket of each is gone. */
function noted(overridden: Partial<Client> = {}) {
  const clients: Client[] = [];
  class Noted extends Client {
    constructor(config: object) {
      super(config);
      clients.push(Object.assign(this, overridden));
    }
  }
  const isCut = (client: Client): unknown =>
    Reflect.get(Object(Reflect.get(Object(Reflect.get(client, "connection")), "stream")), "destroyed");
  return { Noted, cut: () => clients.map(isCut) };
}

describeWithPostgres("the end of the feed of postgresStore", () => {
  it("is waited for, though nothing else keeps the process alive", async () => {
    const { tableName, pool } = testTable();
    await testStore({ pool, tableName }).read(keyOf("none")); // makes the table
    for (let round = 0; round < 3; round += 1) {
      const [code] = await once(start("postgres/fixtures/close", [postgresUrl(), tableName]), "exit");
      expect(code).toBe(42);
    }
  });

  it("leaves no socket to a server that is frozen", async () => {
    const { tableName, pool } = testTable();
    const { Noted, cut } = noted();
    const proxy = await startProxy({ allowHalfOpen: true });
    const own = { ...watched(pool).pool, Client: Noted };
    const store = testStore({ pool: own, tableName, listenConnectionString: proxy.url });
    await store.changes?.(new Heard(), { heartbeatMs: 10_000 });
    expect(cut()).toEqual([false]);
    proxy.freeze();
    await store.close();
    await vi.waitFor(() => expect(cut()).toEqual([true]), waiting);
  });

  it("hides no reason why there was no feed", async () => {
    const { tableName, pool } = testTable();
    const { Noted, cut } = noted({
      query: (() => Promise.reject(new Error("LISTEN is not for you"))) as unknown as Client["query"],
      end: () => new Promise<void>(() => {}),
    });
    const store = testStore({ pool: { ...watched(pool).pool, Client: Noted } as never, tableName });
    await expect(openFeed(store, { heartbeatMs: 10_000 })).rejects.toThrow("LISTEN is not for you");
    expect(cut()).toEqual([true]);
  });
});
