/** The `error` events while a database can't be reached: errors of this package, with a code and the cure. */
import { DatabaseSync } from "node:sqlite";
import { errorCodes, SocketSessionError } from "socket-session";
import { sqliteStore } from "socket-session/sqlite";
import { afterEach, expect, test } from "vitest";
import { withService } from "../setup/services.ts";
import { newFile } from "../stores/sqlite/files.ts";
import { clearPlace, newPlace, openStore, type StoreAddress } from "../support/store-address.ts";
import { startWorld, type World } from "../support/world.ts";
import { patience } from "./clients.ts";
import * as networked from "./networked-stores.ts";
import { shortly } from "./nodes.ts";
import { TcpProxy } from "./tcp-proxy.ts";

let world: World;
afterEach(() => world.close());

const codes = () => world.errors.map((error) => Object(error).code);
const feed = () => world.sessions.stats().store.feed;
const until = (state: "whole" | "broken") => expect.poll(feed, patience).toBe(state);

function expectErrorsOfOurs(): void {
  for (const error of world.errors) {
    expect(error).toBeInstanceOf(SocketSessionError);
    const { code, message } = Object(error);
    expect(Object.keys(errorCodes)).toContain(code);
    expect(["STORE_FEED_BROKEN", "STORE_FAILED", "STORE_TIMEOUT"]).toContain(code);
    expect(message).toMatch(
      / is cut[ .(].*(opened again by itself)|in the \w+ store (failed|did not answer)/,
    );
  }
}

for (const { name, service, kind, feed: marks } of Object.values(networked)) {
  withService(service).describe(`${name} that is cut off`, { timeout: 90_000 }, () => {
    test("is reported with a code when it breaks, and when it breaks again", async () => {
      const place: StoreAddress = { kind, url: withService(service).url, place: newPlace() };
      const url = new URL(place.url);
      const link = await TcpProxy.start({ host: url.hostname, port: Number(url.port) }, marks);
      url.port = String(link.port);
      world = await startWorld({ store: await openStore({ ...place, url: url.href }), ...shortly });
      const ada = await world.visitor();
      await ada.connect();
      for (let round = 1; round <= 2; round++) {
        await until("whole");
        link.cut("visible");
        await until("broken");
        await ada.get("/session").catch(() => {}); // answered by an error
        await expect
          .poll(() => codes().filter((code) => code === "STORE_FEED_BROKEN").length, patience)
          .toBeGreaterThanOrEqual(round);
        await link.heal();
      }
      await until("whole");
      expectErrorsOfOurs();
      expect(String(world.errors)).toMatch(
        /The database can't be reached: check|Is the database unreachable/,
      );
      link.close();
      await clearPlace(place);
    });
  });
}

for (const { name, service, kind, feed: marks } of Object.values(networked)) {
  withService(service).describe(`the feed of ${name} that is cut from the start`, { timeout: 90_000 }, () => {
    test("is reported as broken once, however often it is tried, and as whole when it is back", async () => {
      const place: StoreAddress = { kind, url: withService(service).url, place: newPlace() };
      const url = new URL(place.url);
      const link = await TcpProxy.start({ host: url.hostname, port: Number(url.port) }, marks);
      url.port = String(link.port);
      const store = await openStore({ ...place, url: url.href });
      link.dropFeed("visible");
      world = await startWorld({ store, ...shortly });
      const states: string[] = [];
      world.sessions.on("feed", ({ state }) => states.push(state));
      await until("broken");
      await expect.poll(() => link.feedsCut, patience).toBeGreaterThan(4);
      expect(codes().filter((code) => code === "STORE_FEED_BROKEN")).toHaveLength(1);
      await link.heal();
      await until("whole");
      expect(states.slice(-2)).toEqual(["broken", "whole"]);
      expect(codes().filter((code) => code === "STORE_FEED_BROKEN")).toHaveLength(1);
      link.close();
      await clearPlace(place);
    });
  });
}

test("SQLite whose tables are taken away is reported with a code", async () => {
  const path = newFile();
  world = await startWorld({ store: sqliteStore({ path }), ...shortly });
  const ada = await world.visitor();
  await ada.connect();
  await until("whole");
  const database = new DatabaseSync(path);
  database.exec("ALTER TABLE changes RENAME TO gone");
  await until("broken");
  expect(codes()).toContain("STORE_FEED_BROKEN");
  database.exec("ALTER TABLE gone RENAME TO changes");
  database.close();
  await until("whole");
  expectErrorsOfOurs();
});
