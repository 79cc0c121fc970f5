/** What the MongoDB store sends: commands, as the driver tells them. */
import type { CommandStartedEvent } from "mongodb";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { mongodbStore } from "../../../src/stores/mongodb/store.ts";
import { withService } from "../../setup/services.ts";
import { keyOf } from "../session-keys.ts";
import { databaseOfTest, type TestDatabase } from "./databases.ts";

const servers = [
  { server: withService("mongodb"), messages: 1, marks: 0 },
  { server: withService("mongodb-replica"), messages: 0, marks: 1 },
];
const key = keyOf("a session");
const patience = { timeout: 10_000 };
const hour = 3_600_000;
const later = (ms = hour) => Date.now() + ms;

describe.each(servers)("what the MongoDB store sends, server %#", ({ server, messages, marks }) => {
  server.describe.each([true, false])("with stringify: %s", (stringify) => {
    let database: TestDatabase;
    let store: SessionStore;
    let sent: CommandStartedEvent[];

    beforeEach(async () => {
      database = await databaseOfTest(server.url);
      store = mongodbStore({ client: database.client, dbName: database.name, stringify });
      onTestFinished(() => store.close());
      const warm = keyOf("warm");
      await store.create(warm, { cookie: {} }, later(), "ada");
      await store.destroy(warm, "destroyed");
      const { collectionName } = database.client.db(database.name).collection("sessions");
      // Both indexes are made in the background.
      await expect
        .poll(() => database.client.db(database.name).collection(collectionName).indexes(), patience)
        .toHaveLength(3);
      sent = [];
      database.client.on("commandStarted", (event) => sent.push(event));
    });

    const count = async (run: () => Promise<unknown>) => {
      sent = [];
      await run();
      return sent.length;
    };

    it("is one command for each operation, and one message on a standalone server", async () => {
      let revision: unknown;
      const create = async () => {
        revision = await store.create(key, { cookie: {} }, later(), "ada");
      };
      expect(await count(create)).toBe(1);
      expect(await count(() => store.read(key))).toBe(1);
      const replace = async (n: number, user?: string) => {
        revision = await store.replace(key, String(revision), { cookie: {}, n }, later(), user);
        expect(revision).not.toBeNull();
      };
      expect(await count(() => replace(1))).toBe(1 + messages);
      expect(await count(() => replace(2, "ada"))).toBe(1 + messages);
      expect(await count(() => replace(3, "eve")), "another user").toBe(1 + messages);
      expect(await count(() => store.replace(key, "stale", { cookie: {} }, later()))).toBe(1);
      expect(await count(() => store.touch(key, later(hour + 1), {}, "ada"))).toBe(1);
      expect(await count(() => store.destroy(key, "destroyed"))).toBe(1 + messages);
      expect(await count(() => store.destroy(key, "destroyed"))).toBe(1);
    });

    it("removes what has ended together, by the close at the latest", async () => {
      for (const n of [1, 2, 3]) await store.create(keyOf(`session ${n}`), { cookie: {} }, later());
      for (const n of [1, 2, 3]) await store.destroy(keyOf(`session ${n}`), "destroyed");
      sent = [];
      await store.close();
      const removals = sent.filter(({ commandName }) => commandName === "delete");
      expect(removals).toHaveLength(marks);
      expect(await database.client.db(database.name).collection("sessions").countDocuments()).toBe(0);
    });

    it("is one command for 100 reads, and none for none", async () => {
      const keys = Array.from({ length: 100 }, (_, n) => keyOf(`session ${n}`));
      for (const [n, one] of keys.entries()) await store.create(one, { cookie: {}, n }, later());
      const found = await (async () => {
        sent = [];
        return store.readMany?.(keys);
      })();
      expect(sent).toHaveLength(1);
      expect(found?.map((stored) => stored?.document.n)).toEqual(keys.map((_, n) => n));
      expect(await count(async () => store.readMany?.([]))).toBe(0);
    });

    it("asks for writes that survive a failover and a power cut, and reads from the primary", async () => {
      const revision = await store.create(key, { cookie: {} }, later());
      await store.replace(key, revision ?? "", { cookie: {}, n: 1 }, later());
      await store.read(key);
      await store.readMany?.([key]);
      await store.putTicket?.("a ticket", "{}", later());
      await store.takeTicket?.("a ticket");
      await store.destroy(key, "destroyed");
      await store.close();
      const writes = sent.filter(
        ({ command }) => collectionOf(command) === "sessions" && "writeConcern" in command,
      );
      expect(writes.map(({ commandName }) => commandName)).toEqual(
        marks ? ["update", "update", "update", "delete"] : ["update", "update", "delete"],
      );
      const ofTickets = sent.filter(
        ({ command, commandName }) =>
          collectionOf(command) === "sessions_tickets" && commandName !== "createIndexes",
      );
      expect(ofTickets.map(({ commandName }) => commandName)).toEqual(["insert", "findAndModify"]);
      for (const { command } of [...writes, ...ofTickets])
        expect(command.writeConcern).toEqual({ w: "majority", j: true });
    });

    it("leaves a write concern that the application has set", async () => {
      const writeConcern = { w: 1 };
      const own = database.client.db(database.name, { writeConcern }).collection("sessions");
      const stores = [
        mongodbStore({ collection: own }),
        mongodbStore({ client: database.client, dbName: database.name, writeOperationOptions: writeConcern }),
      ];
      for (const [n, one] of stores.entries()) {
        onTestFinished(() => one.close());
        sent = [];
        await one.create(keyOf(`session ${n}`), { cookie: {} }, later());
        expect(sent.find(({ commandName }) => commandName === "update")?.command.writeConcern).toEqual({
          w: 1,
        });
      }
    });
  });
});

function collectionOf(command: Record<string, unknown>): unknown {
  return Object.values(command)[0];
}
