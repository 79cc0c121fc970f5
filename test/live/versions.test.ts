/** Versions of a session in time: an old one never replaces a newer one, whichever way and whenever it arrives. */
import { describe, expect, test } from "vitest";
import { fieldsOf } from "../../src/data/fields.ts";
import type { Snapshot } from "../../src/data/snapshot.ts";
import { settle } from "../support/manual-clock.ts";
import { cookie, day } from "./live-set.ts";
import { type OneNode, oneNode } from "./one-node.ts";

/** A request that has loaded the session, as it was then. */
async function loaded(on: OneNode): Promise<Snapshot> {
  const loading = on.request();
  await on.store.do("read");
  await on.store.answer("read");
  const found = await loading;
  if (!found) throw new Error("Expected the session to be there.");
  return found;
}

describe("the version that a request had loaded", () => {
  test("lets no socket in if its session has ended elsewhere since, and its handle ends", async () => {
    const on = await oneNode();
    const seed = await loaded(on);
    await on.elsewhere.logout();
    await on.store.deliver(); // no entry here yet
    const socket = on.handshake();
    await on.store.do("read");
    const { one, heard } = on.handle(seed);
    await on.store.answer("read");
    expect(await socket.admitted).toBeNull();
    expect(one.state).toBe("ended");
    expect(heard).toEqual(["destroyed"]);
    expect(on.hub.counts).toMatchObject({ live: 0, timers: 0 });
  });

  test("does not replace a later write of another node", async () => {
    const on = await oneNode();
    const seed = await loaded(on);
    await on.elsewhere.write({ n: 2 });
    await on.store.deliver();
    const socket = on.handshake();
    const { one, heard } = on.handle(seed);
    expect(one.data).toEqual({ n: 1 });
    await on.store.finish();
    expect((await socket.admitted)?.data).toEqual({ n: 2 });
    expect(socket.entry.snapshot?.data).toEqual({ n: 2 });
    expect(one.data).toEqual({ n: 2 });
    expect(heard).toEqual([{ data: { n: 2 }, previous: { n: 1 } }]);
  });

  test.each([
    { since: "nothing has happened", happens: async () => {}, state: "live", told: [] },
    {
      since: "it has changed",
      happens: (on: OneNode) => on.elsewhere.write({ n: 2 }),
      state: "live",
      told: [{ data: { n: 2 }, previous: { n: 1 } }],
    },
    {
      since: "it has ended",
      happens: async (on: OneNode) => void (await on.elsewhere.logout()),
      state: "ended",
      told: ["destroyed"],
    },
  ])("is compared with the store soon, without any socket: $since", async ({ happens, state, told }) => {
    const on = await oneNode();
    const seed = await loaded(on);
    await happens(on);
    await on.store.deliver();
    const { one, heard } = on.handle(seed);
    expect(one.state).toBe("live");
    await on.clock.advance(1_000);
    await on.store.finish();
    expect(one.state).toBe(state);
    expect(heard).toEqual(told);
  });

  test("costs no read if its handle is released with the response, or if an update writes", async () => {
    const on = await oneNode();
    const seed = await loaded(on);
    on.handle(seed).one.release();
    await on.clock.advance(1_000);
    expect(on.store.choices).toBe(0);
    const { one } = on.handle(seed);
    const updating = one.update((draft) => {
      Object.assign(draft, { n: 2 });
    });
    await settle();
    await on.store.do("replace");
    await on.store.answer("replace");
    await updating;
    await on.store.deliver();
    await on.clock.advance(1_000);
    expect(on.store.choices).toBe(0);
    expect(one.data).toEqual({ n: 2 });
  });

  test("is not a base for an update that changes nothing once the session is over", async () => {
    const on = await oneNode();
    const seed = await loaded(on);
    await on.elsewhere.logout();
    await on.store.deliver();
    const { one } = on.handle(seed);
    const updating = one.update(() => "unchanged");
    const over = expect(updating).rejects.toMatchObject({ code: "SESSION_ENDED" });
    await settle();
    await on.store.finish();
    await over;
  });
});

describe("the late answer to a write", () => {
  /** A request here has written `{ n: 2 }`; its answer is on its way, and nobody holds the session live yet. */
  async function written(on: OneNode) {
    const known = await loaded(on);
    const writing = on.writes.replace(on.key, known, { ...known, fields: fieldsOf({ n: 2 }) }, "keep");
    await on.store.do("replace");
    return { writing };
  }

  test.each([{ first: "read" }, { first: "write" }])(
    "lets no socket in after a logout; the answer of the $first comes first",
    async ({ first }) => {
      const on = await oneNode();
      const { writing } = await written(on);
      await on.elsewhere.logout();
      await on.store.deliver();
      const socket = on.handshake();
      await on.store.do("read");
      await on.store.answer(first === "read" ? "read" : "replace");
      await on.store.finish();
      await writing;
      expect(await socket.admitted).toBeNull();
      expect(socket.entry.isEnded || socket.entry.snapshot === undefined).toBe(true);
    },
  );

  test.each([{ first: "read" }, { first: "write" }])(
    "does not replace what was written after it; the answer of the $first comes first",
    async ({ first }) => {
      const on = await oneNode();
      const { writing } = await written(on);
      await on.elsewhere.write({ n: 3 });
      await on.store.deliver();
      const socket = on.handshake();
      await on.store.do("read");
      await on.store.answer(first === "read" ? "read" : "replace");
      await on.store.finish();
      await writing;
      expect((await socket.admitted)?.data).toEqual({ n: 3 });
      expect(socket.entry.snapshot?.data).toEqual({ n: 3 });
    },
  );
});

test("a null that a write overlaps is not ignored: the session is read again", async () => {
  const on = await oneNode();
  const socket = on.handshake();
  await on.store.finish();
  const updating = on.updates.update(on.key, (draft) => {
    draft.n = 2;
  });
  await settle();
  await on.store.do("replace");
  const reading = on.request();
  await on.elsewhere.logout(); // the feed is slow to tell
  await on.store.do("read");
  await on.store.answer("replace");
  await updating;
  await on.store.answer("read");
  await on.store.finish();
  expect(await reading).toBeUndefined();
  expect(socket.entry.isEnded).toBe(true);
});

test("a null ends the session at once, even if a change was published while it was on its way", async () => {
  const on = await oneNode();
  const socket = on.handshake();
  await on.store.finish();
  const reading = on.request();
  await on.elsewhere.write({ n: 2 });
  await on.elsewhere.logout();
  await on.store.do("read");
  await on.store.deliver(1);
  await on.store.answer("read");
  await reading;
  expect(socket.entry.isEnded).toBe(true);
});

test("a null for a session not seen yet is read again if a change was published on its way", async () => {
  const on = await oneNode();
  await on.elsewhere.logout();
  await on.store.deliver();
  const socket = on.handshake();
  await on.store.do("read"); // another node stores it only now
  await on.database.create(on.key, { cookie, n: 1 }, on.clock.now() + day);
  await on.elsewhere.write({ n: 2 });
  await on.store.deliver();
  await on.store.answer("read");
  await on.store.finish();
  expect((await socket.admitted)?.data).toEqual({ n: 2 });
});

test("the late answer to a touch does not lengthen a life that was shortened while it was on its way", async () => {
  const on = await oneNode();
  const socket = on.handshake();
  await on.store.finish();
  await on.clock.advance(120_000);
  on.activity.onEvent(socket.entry);
  await on.store.do("touch");
  const now = on.clock.now();
  const known = socket.entry.snapshot;
  if (!known) throw new Error("Expected the session to have been read.");
  const short = { ...cookie, originalMaxAge: 1_000, expires: new Date(now + 1_000).toISOString() };
  const writing = on.writes.replace(on.key, known, { fields: known.fields, cookie: short }, "use");
  await on.store.do("replace");
  await on.store.answer("replace");
  await writing;
  await on.store.answer("touch");
  expect(socket.entry.snapshot?.expiresAt).toBe(now + 1_000);
});

describe("while this node is storing a session", () => {
  test.each(["handshake", "request"] as const)(
    "a %s whose null comes after the answer finds the session",
    async (who) => {
      const on = await oneNode();
      await on.elsewhere.logout();
      await on.store.deliver();
      const held = { fields: fieldsOf({ n: 5 }), cookie, isNewId: true };
      const creating = on.saves.createNew(on.key, held, on.hub.mark(), () => {});
      const found = who === "handshake" ? on.handshake().admitted : on.request();
      await on.store.do("read"); // null: it is not there yet
      await on.store.do("create");
      await on.store.answer("create");
      await on.store.finish();
      await creating;
      expect((await found)?.data).toEqual({ n: 5 });
    },
  );

  test.each(["handshake", "request"] as const)("a %s with its cookie waits, and finds it", async (who) => {
    const on = await oneNode();
    await on.elsewhere.logout();
    await on.store.deliver();
    const creating = on.saves.createNew(
      on.key,
      { fields: fieldsOf({ n: 5 }), cookie, isNewId: true },
      on.hub.mark(),
      () => {},
    );
    const found = who === "handshake" ? on.handshake().admitted : on.request();
    await on.store.do("read");
    await on.store.answer("read"); // null: it is not there yet
    await on.store.finish();
    await creating;
    expect((await found)?.data).toEqual({ n: 5 });
  });
});

test("another node's change is read while a write of this node gets no answer", async () => {
  const on = await oneNode();
  const socket = on.handshake();
  await on.store.finish();
  const updating = on.updates.update(on.key, (draft) => {
    draft.n = 2;
  });
  const failed = expect(updating).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
  await settle(); // on its way, and lost there
  await on.elsewhere.write({ n: 3 });
  await on.store.deliver();
  await on.store.do("read");
  await on.store.answer("read");
  expect(socket.entry.snapshot?.data).toEqual({ n: 3 });
  await on.clock.advance(10_000);
  await failed;
});

test("the feed vouches for a written version, although a change was reported and read during the write", async () => {
  const on = await oneNode();
  const socket = on.handshake();
  await on.store.finish();
  await on.elsewhere.write({ n: 2 }); // its message is on its way
  const loading = on.request();
  await on.store.do("read");
  await on.store.answer("read");
  await loading;
  const updating = on.updates.update(on.key, (draft) => {
    draft.n = 3;
  });
  await settle();
  await on.store.deliver();
  await settle();
  await on.store.do("read"); // before the write
  await on.store.answer("read");
  await settle();
  await on.store.do("replace");
  await on.store.answer("replace");
  await updating;
  await on.store.finish();
  expect(socket.entry.snapshot?.data).toEqual({ n: 3 });
  expect(socket.entry.isDoubtful).toBe(false);
  await on.clock.advance(120_000);
  await on.store.finish();
  expect(on.hub.freshness.isServable(socket.entry)).toBe(true);
});
