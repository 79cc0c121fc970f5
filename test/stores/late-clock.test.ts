import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { describeKinds, storeKinds } from "../support/matrix.ts";
import { keyOf } from "./session-keys.ts";
import { SetClock } from "./set-clock.ts";

/** A wrapped store has no clock of this package. */
const kinds = storeKinds.filter(({ name }) => !name.startsWith("a wrapped"));

describeKinds(
  "an end by a node whose clock is early",
  (kind) => {
    test("also removes what has not expired by the clocks of others, which would find it", async () => {
      const clock = new SetClock(systemClock.now());
      const store = kind.open(clock);
      if (!("destroy" in store) || !("tell" in store)) throw new Error("Expected a store of this package.");
      const key = keyOf("expired here");
      await store.create(key, { cookie: {} }, clock.now() + 60_000);
      clock.advance(120_000);
      const ended = await store.destroy(key, "revoked");
      clock.advance(-120_000);
      expect(await store.read(key)).toBeNull();
      expect(ended).toBe(kind.name === "Redis"); // the server's clock decides
      await store.close?.();
    });
  },
  kinds,
);
