/** The cap on a user's sessions itself: what it keeps, whatever a check finds. Over every store: `test/promises/caps.test.ts`. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { sessionNames } from "../../src/data/session-key.ts";
import { type SessionsPerUser, UserCap } from "../../src/session/user-cap.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { cookie, day, liveSet, nameOf } from "../live/live-set.ts";

const userId = (data: { readonly userId?: unknown }) =>
  typeof data.userId === "string" ? data.userId : undefined;

const modes = ["refuse", "endOldest"] as const;

/** A node with a cap over its own clock, which `at` sets. */
function open(cap: SessionsPerUser, secrets?: string[]) {
  let now = Date.now();
  const clock = { now: () => now, after: () => () => {} };
  const store = memoryStore({ clock });
  const set = liveSet(store);
  const names = secrets ? sessionNames(secrets) : nameOf;
  const userCap = new UserCap(cap, { hub: set.hub, nameOf: names, userId });
  const startedAt = now;
  return {
    ...set,
    /** Stores a session of ada that has been hers for `since` ms. */
    async at(since: number, sid: string, data: object = { userId: "ada" }) {
      now = startedAt + since;
      await store.create(names(sid), { cookie, ...data }, now + day, "ada");
    },
    check: (sid: string) => userCap.check(names(sid), "ada"),
    async left() {
      return (await store.listByUser?.("ada"))?.map(({ sid }) => sid).sort();
    },
  };
}

const full = expect.objectContaining({ code: "USER_SESSIONS_FULL", status: 409 });

/** Mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe.each(modes)("with %s", (whenFull) => {
  test("logins at the same time leave exactly the cap, the same ones whatever their checks find", async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = randomFrom(seed);
      const max = 1 + random(3);
      const node = open({ max, whenFull });
      const logins = Array.from({ length: 1 + random(7) }, (_, n) => ({ sid: `s${n}`, since: random(3) }));
      const outcomes = logins.map(async ({ sid, since }) => {
        for (let turns = random(5); turns > 0; turns--) await turn();
        await node.at(since, sid);
        for (let turns = random(3); turns > 0; turns--) await turn();
        return node.check(sid).then(
          () => sid,
          (error) => void expect(error).toEqual(full),
        );
      });
      const letIn = (await Promise.all(outcomes)).filter((sid) => sid !== undefined);
      const ordered = [...logins].sort((a, b) => a.since - b.since || (a.sid < b.sid ? -1 : 1));
      const kept = whenFull === "refuse" ? ordered.slice(0, max) : ordered.slice(-max);
      const sids = kept.map(({ sid }) => sid).sort();
      expect(await node.left(), `seed ${seed}`).toEqual(sids);
      expect(letIn, `seed ${seed}`).toEqual(expect.arrayContaining(sids));
      expect(node.errors).toEqual([]);
    }
  });

  test("nodes with other secrets keep the same ones of the same time", async () => {
    const left = [];
    for (const secrets of [["one secret"], ["another secret"], ["a third"]]) {
      const node = open({ max: 2, whenFull }, secrets);
      for (const sid of ["a", "b", "c", "d"]) await node.at(0, sid);
      await node.check("a").catch(() => {});
      left.push(await node.left());
    }
    expect(left).toEqual([left[0], left[0], left[0]]);
    expect(left[0]).toHaveLength(2);
  });

  test("a session of another user, which the index still lists, does not count, nor one that can't be read", async () => {
    const node = open({ max: 1, whenFull });
    await node.at(0, "stale", { userId: "eve" });
    await node.at(0, "damaged");
    await node.at(5, "own");
    const { listByUser } = node.store;
    node.store.listByUser = async (user) => {
      const listed = (await listByUser?.call(node.store, user)) ?? [];
      return listed.map((one) => (one.sid === "damaged" ? { ...one, stored: null } : one));
    };
    await node.check("own");
    expect(await node.left()).toEqual(["damaged", "own", "stale"]);
  });

  test("a login that a logout overtakes is neither refused nor revived", async () => {
    const node = open({ max: 2, whenFull });
    await node.at(0, "other");
    await node.at(1, "own");
    await node.hub.end(nameOf("own"), "destroyed");
    await node.check("own");
    expect(await node.left()).toEqual(["other"]);
  });
});

test("a login whose session another node's check has ended already is refused all the same", async () => {
  const node = open({ max: 1, whenFull: "refuse" });
  await node.at(0, "first");
  await node.at(1, "own");
  await node.hub.end(nameOf("own"), "displaced");
  await expect(node.check("own")).rejects.toEqual(full);
  expect(await node.left()).toEqual(["first"]);
});

test("more than the cap, from before it was set: the oldest end with endOldest, the newest with refuse", async () => {
  const kept = [];
  for (const whenFull of modes) {
    const node = open({ max: 2, whenFull });
    for (let n = 0; n < 5; n++) await node.at(n, `s${n}`);
    await node.check("s4").catch(() => {});
    kept.push(await node.left());
  }
  expect(kept).toEqual([
    ["s0", "s1"],
    ["s3", "s4"],
  ]);
});

describe("while the store fails", () => {
  const down = () => Promise.reject(new Error("down"));

  test("a login that can't be counted is undone with refuse", async () => {
    const node = open({ max: 3, whenFull: "refuse" });
    await node.at(0, "own");
    Object.assign(node.store, { listByUser: down });
    await expect(node.check("own")).rejects.toMatchObject({
      code: "STORE_FAILED",
      message: expect.stringContaining("could not be counted"),
      cause: { code: "STORE_FAILED" },
    });
    expect(await node.store.read(nameOf("own"))).toBeNull();
    expect(node.errors).toEqual([]);
  });

  test("and rejects as well if it can't be undone, which is reported", async () => {
    const node = open({ max: 3, whenFull: "refuse" });
    await node.at(0, "own");
    Object.assign(node.store, { listByUser: down, destroy: down });
    await expect(node.check("own")).rejects.toMatchObject({ code: "STORE_FAILED" });
    expect(node.errors).toEqual([expect.objectContaining({ code: "STORE_FAILED" })]);
  });

  test("a login stays with endOldest, and the failure is reported; the next login ends what is too much", async () => {
    const node = open({ max: 1, whenFull: "endOldest" });
    const { listByUser } = node.store;
    await node.at(0, "before");
    await node.at(1, "own");
    node.store.listByUser = down;
    await node.check("own");
    expect(node.errors).toEqual([expect.objectContaining({ code: "STORE_FAILED" })]);
    if (listByUser) node.store.listByUser = listByUser.bind(node.store);
    await node.at(2, "next");
    await node.check("next");
    expect(await node.left()).toEqual(["next"]);
  });

  test("a refused login stays refused if its session can't be ended; the next login ends it", async () => {
    const node = open({ max: 1, whenFull: "refuse" });
    await node.at(0, "first");
    await node.at(1, "own");
    const { destroy } = node.store;
    node.store.destroy = down;
    await expect(node.check("own")).rejects.toEqual(full);
    expect(node.errors).toEqual([expect.objectContaining({ code: "STORE_FAILED" })]);
    node.store.destroy = destroy.bind(node.store);
    await node.at(2, "next");
    await expect(node.check("next")).rejects.toEqual(full);
    expect(await node.left()).toEqual(["first"]);
  });
});
