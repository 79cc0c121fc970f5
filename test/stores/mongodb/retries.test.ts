/** Messages in the capped collection that can't be written at first; through a real database, with inserts refused. */
import { expect, it, vi } from "vitest";
import { mongodbStore } from "../../../src/stores/mongodb/store.ts";
import { withService } from "../../setup/services.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock, StoppedTimers } from "../set-clock.ts";
import { databaseOfTest } from "./databases.ts";

const server = withService("mongodb");
const patience = { timeout: 10_000 };

server.describe("a message of the MongoDB store that can't be written", () => {
  it("is retried until the store is closed, and not afterwards", async () => {
    const { client, name } = await databaseOfTest(server.url);
    const db = client.db(name);
    const changes = db.collection("sessions_changes");
    const inserts: PromiseWithResolvers<never>[] = [];
    changes.insertOne = () => {
      inserts.push(Promise.withResolvers());
      return inserts.at(-1)?.promise ?? Promise.reject(new Error("none"));
    };
    const refuse = () => inserts.at(-1)?.reject(new Error("not at the moment"));
    const collection = db.collection.bind(db);
    Object.assign(db, {
      collection: (of: string) => (of === "sessions_changes" ? changes : collection(of)),
    });
    const time = new SetClock();
    const timers = new StoppedTimers(time);
    const store = mongodbStore({ client: { db: () => db }, clock: timers, autoRemove: "disabled" });
    await store.create(keyOf("1"), { cookie: {} }, time.now() + 10_000);
    const destroyed = store.destroy(keyOf("1"), "revoked");
    await vi.waitFor(() => expect(inserts).toHaveLength(1), patience);
    refuse();
    expect(await destroyed).toBe(true);
    await vi.waitFor(() => expect(timers.pendingCount).toBe(1), patience);
    timers.fire();
    await vi.waitFor(() => expect(inserts).toHaveLength(2), patience);
    refuse();
    await vi.waitFor(() => expect(timers.pendingCount, "tried again").toBe(1), patience);
    timers.fire();
    await vi.waitFor(() => expect(inserts).toHaveLength(3), patience);
    await store.close();
    refuse();
    await new Promise((resolve) => setImmediate(resolve));
    expect(timers.pendingCount).toBe(0);
  });
});
