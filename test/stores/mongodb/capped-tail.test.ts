/** Errors of a tail whose cursor can't be opened, with a cursor that fails like the driver's. */
import { expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { MongodbTail } from "../../../src/stores/mongodb/capped/tail.ts";
import type { MongodbCollection } from "../../../src/stores/mongodb/client.ts";

it.each<[string, () => Promise<boolean>]>([
  ["is known not to be an ordinary one", async () => false],
  ["can't be asked for", () => Promise.reject(new Error("not allowed to list collections"))],
])(
  "names the collection where it %s, and only the name and code of the driver's error",
  async (_what, isOrdinary) => {
    const failure = Object.assign(new Error("tailable cursor on s3cret"), {
      name: "MongoServerError",
      code: 2,
    });
    const cursor = {
      closed: false,
      tryNext: () => Promise.reject(failure),
      toArray: async () => [],
      close: async () => {},
    };
    const collection: Pick<MongodbCollection, "collectionName" | "find"> = {
      collectionName: "sessions_changes",
      find: () => cursor,
    };
    const down = Promise.withResolvers<unknown>();
    const tail = new MongodbTail({
      collection: collection as MongodbCollection,
      clock: systemClock,
      heartbeatMs: 1_000,
      isOrdinary,
      mark: async () => "a mark",
      tell: () => {},
      missed: () => {},
      down: down.resolve,
    });
    await tail.open();
    const error = await down.promise;
    expect(error).toMatchObject({
      code: "STORE_FAILED",
      message: expect.stringContaining(
        "capped collection sessions_changes; its cursor failed 4 times in a row: MongoServerError 2.",
      ),
      cause: failure,
    });
    expect(String(error)).not.toMatch(/s3cret|[Dd]rop/);
    await tail.close();
  },
);
