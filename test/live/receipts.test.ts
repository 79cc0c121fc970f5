/** What a receipt of an end says of nodes that answer, that do not, and that no other node knows. */
import { describe, expect, test, vi } from "vitest";
import { noteText } from "../../src/live/notes.ts";
import { endWithReceipt } from "../../src/session/end-receipt.ts";
import { settle } from "../support/manual-clock.ts";
import { connect, endOn, later, linkedNodes, startNode } from "./linked-nodes.ts";
import { cookie, sign } from "./live-set.ts";

const staleMs = 60_000;

describe("a receipt", () => {
  test("names each node with the sockets that it has closed, the own one first", async () => {
    const { nodes, key, clock } = await linkedNodes("here", "there", "idle");
    const [here, there] = nodes;
    const own = await connect(here, key, 2);
    const theirs = [await connect(there, key, 3), await connect(there, key, 1)];
    const receipt = await endOn(here, key);
    expect([own, ...theirs].map(({ ends }) => ends)).toEqual([["revoked"], ["revoked"], ["revoked"]]);
    await clock.advance(4);
    for (const { close } of [own, ...theirs]) close();
    await settle();
    expect(receipt.value).toEqual({
      ended: true,
      nodes: [
        { node: "here", sockets: 2, ms: 4 },
        { node: "idle", sockets: 0, ms: 0 },
        { node: "there", sockets: 4, ms: 4 },
      ],
      unanswered: [],
      others: "asked",
      certainBy: clock.now() - 4 + staleMs,
    });
  });

  test.each(["here", "there"])("is not given before the last transport is closed %s", async (where) => {
    const { nodes, key } = await linkedNodes("here", "there");
    const node = where === "here" ? nodes[0] : nodes[1];
    const [first, last] = [await connect(node, key), await connect(node, key)];
    const receipt = await endOn(nodes[0], key);
    first.close();
    await settle();
    expect(receipt.isSettled).toBe(false);
    last.close();
    await settle();
    expect(receipt.value?.nodes).toContainEqual({ node: where, sockets: 2, ms: 0 });
  });

  test("says of a frozen node that it has not answered, and by when its lease has run out", async () => {
    const { nodes, key, clock } = await linkedNodes("here", "frozen", "there");
    const [here, frozen] = nodes;
    const { entry, ends } = await connect(frozen, key);
    frozen.link.holds = "all";
    await clock.advance(20_000);
    const endedAt = clock.now();
    const receipt = await endOn(here, key);
    await clock.advance(4_999);
    expect(receipt.isSettled).toBe(false);
    await clock.advance(1);
    expect(receipt.value).toMatchObject({
      nodes: [{ node: "here" }, { node: "there" }],
      unanswered: [{ node: "frozen", certainBy: endedAt + staleMs }],
    });
    expect(ends).toEqual([]);
    await frozen.link.letGo();
    expect(ends).toEqual(["revoked"]);
    expect(entry.isEnded).toBe(true);
  });

  test("does not wait for a silent node again, drops it when its lease has run out, and waits for it once it is back", async () => {
    const { nodes, key, clock } = await linkedNodes("here", "frozen");
    const [here, frozen] = nodes;
    frozen.link.holds = "all";
    await endOn(here, key);
    await clock.advance(5_000);
    const second = await endOn(here, key);
    expect(second.value).toMatchObject({ ended: false, unanswered: [{ node: "frozen" }] });
    await clock.advance(staleMs + 1);
    const third = await endOn(here, key);
    expect(third.value?.unanswered).toEqual([]);
    await frozen.link.letGo();
    const fourth = await endOn(here, key);
    expect(fourth.value?.nodes.map(({ node }) => node)).toEqual(["here", "frozen"]);
  });

  test("waits for a node that came back while it owed an answer, long after its lease", async () => {
    const { nodes, key, clock } = await linkedNodes("here", "back");
    const [here, back] = nodes;
    back.link.cut();
    const first = await endOn(here, key);
    await clock.advance(3_000);
    await back.link.heal();
    await clock.advance(2_000);
    expect(first.value).toMatchObject({ unanswered: [{ node: "back" }] });
    await clock.advance(staleMs + 1);
    back.link.holds = "all";
    const next = await endOn(here, key);
    expect(next.isSettled).toBe(false);
    await back.link.letGo();
    expect(next.value?.nodes.map(({ node }) => node)).toEqual(["here", "back"]);
  });

  test("is asked for by what counts as the end, should it overtake the change", async () => {
    const { nodes, key } = await linkedNodes("here", "there");
    const [here, there] = nodes;
    const { ends, close } = await connect(there, key, 2);
    there.link.holds = "changes";
    const receipt = await endOn(here, key);
    expect(ends).toEqual(["revoked"]);
    expect(receipt.isSettled).toBe(false);
    close();
    await settle();
    expect(receipt.value?.nodes).toContainEqual({ node: "there", sockets: 2, ms: 0 });
    await there.link.letGo();
    expect(ends).toEqual(["revoked"]);
  });

  test("names no node that lets a client in afterwards whose handshake was under way", async () => {
    const { nodes, key, database } = await linkedNodes("here", "there");
    const [here, there] = nodes;
    const found = await database.read(key);
    const answer = Promise.withResolvers<typeof found>();
    there.store.read = () => answer.promise;
    const observer = { sockets: undefined };
    const entry = there.hub.observe(key, observer);
    const admitted = there.hub.reads.load(entry);
    const receipt = await endOn(here, key);
    expect(receipt.value?.nodes).toContainEqual({ node: "there", sockets: 0, ms: 0 });
    answer.resolve(found);
    expect(await admitted).toBeNull();
    expect(there.hub.freshness.isServable(entry)).toBe(false);
  });

  test("does not wait while the own feed is cut, and says so", async () => {
    const { nodes, key, clock } = await linkedNodes("here", "there");
    const [here, there] = nodes;
    here.link.cut();
    const receipt = await endOn(here, key);
    const certainBy = clock.now() + staleMs;
    expect(receipt.value).toEqual({
      ended: true,
      nodes: [{ node: "here", sockets: 0, ms: 0 }],
      unanswered: [{ node: "there", certainBy }],
      others: "cut",
      certainBy,
    });
    await here.link.heal();
    await clock.advance(1_000);
    const again = await endOn(here, key);
    expect(again.value).toMatchObject({ others: "asked", nodes: [{ node: "here" }, { node: "there" }] });
    expect(there.errors).toEqual([]);
  });

  test("says that the others were not asked if the question can't be published", async () => {
    const { nodes, key } = await linkedNodes("here", "there");
    nodes[0].link.publishes = false;
    const receipt = await endOn(nodes[0], key);
    expect(receipt.value).toMatchObject({
      ...{ ended: true, others: "cut", nodes: [{ node: "here" }], unanswered: [{ node: "there" }] },
    });
    expect(nodes[0].errors).toEqual([]);
  });

  test("is not asked for before the session is gone from the store: if that fails, it goes on everywhere", async () => {
    const { nodes, key } = await linkedNodes("here", "there");
    const [here, there] = nodes;
    const { entry, ends } = await connect(there, key);
    vi.spyOn(here.store, "destroy").mockRejectedValueOnce(new Error("down"));
    await expect(endWithReceipt(here.hub, key, {})).rejects.toMatchObject({ code: "STORE_FAILED" });
    await settle();
    expect([ends, entry.isEnded]).toEqual([[], false]);
  });
});

test("a node that has just started asks when the others have introduced themselves", async () => {
  const { key, clock, database } = await linkedNodes("there");
  const starting = startNode(database, clock, "starting");
  await settle();
  const receipt = await endOn(starting, key);
  await clock.advance(999);
  expect(receipt.isSettled).toBe(false);
  await clock.advance(1);
  expect(receipt.value?.nodes.map(({ node }) => node)).toEqual(["starting", "there"]);
});

test("a node that could not introduce itself does so before it asks", async () => {
  const { nodes, key, clock, database } = await linkedNodes("there");
  const starting = startNode(database, clock, "starting");
  starting.link.publishes = false;
  await settle();
  await clock.advance(10_000);
  starting.link.publishes = true;
  const { close } = await connect(nodes[0], key);
  const receipt = await endOn(starting, key);
  await clock.advance(1_000);
  expect(receipt.isSettled).toBe(false);
  close();
  await settle();
  expect(receipt.value?.nodes.map(({ node }) => node)).toEqual(["starting", "there"]);
});

test("a clock that is set back delays the question by no more than that", async () => {
  const { key, clock, database } = await linkedNodes("there");
  const starting = startNode(database, clock, "starting");
  await settle();
  const { now } = clock;
  clock.now = () => now.call(clock) - 3_600_000;
  const receipt = await endOn(starting, key);
  await clock.advance(1_000);
  expect(receipt.value?.nodes.map(({ node }) => node)).toEqual(["starting", "there"]);
});

test("is certain by the longest lease that was ever known, as a node without a word may go on reading the store", async () => {
  const { nodes, key, clock, database } = await linkedNodes("here");
  const from = { id: "patient", name: "patient", leaseMs: 2 * staleMs };
  await database.tell?.(noteText({ kind: "here", from }, sign));
  await endOn(nodes[0], key);
  await clock.advance(5_000 + 3 * staleMs);
  const receipt = await endOn(nodes[0], key);
  expect(receipt.value).toMatchObject({ unanswered: [], certainBy: clock.now() + 2 * staleMs });
});

test("says that the others were asked if they have answered, though the store has not", async () => {
  const { nodes, key, clock } = await linkedNodes("here", "there");
  const [here] = nodes;
  here.link.answers = false;
  const receipt = await endOn(here, key);
  await clock.advance(5_000);
  expect(receipt.value).toMatchObject({ others: "asked", nodes: [{ node: "here" }, { node: "there" }] });
});

describe("a node that the others do not know", () => {
  test("that joins while one is awaited is neither awaited nor unanswered", async () => {
    const { nodes, key, clock, database } = await linkedNodes("here", "frozen");
    nodes[1].link.holds = "all";
    const receipt = await endOn(nodes[0], key);
    await clock.advance(2_000);
    startNode(database, clock, "new");
    await settle();
    await clock.advance(3_000);
    expect(receipt.value?.nodes.map(({ node }) => node)).toEqual(["here"]);
    expect(receipt.value?.unanswered.map(({ node }) => node)).toEqual(["frozen"]);
  });

  test("and whose feed was never whole, serves the session no longer than the receipt says", async () => {
    const { nodes, key, clock, database } = await linkedNodes("here");
    const hidden = startNode(database, clock, "hidden");
    hidden.store.changes = () => new Promise(() => {});
    const { entry } = await connect(hidden, key);
    hidden.store.read = () => Promise.reject(new Error("down"));
    await clock.advance(10_000);
    const receipt = await endOn(nodes[0], key);
    const { certainBy = 0 } = receipt.value ?? {};
    expect(receipt.value).toMatchObject({ nodes: [{ node: "here" }], unanswered: [], others: "asked" });
    await clock.advance(certainBy - clock.now());
    expect(hidden.hub.freshness.isServable(entry)).toBe(false);
  });

  test("takes its leave when it closes, and is not awaited", async () => {
    const { nodes, key, clock } = await linkedNodes("here", "closing", "frozen");
    const [here, closing, frozen] = nodes;
    frozen.link.holds = "all";
    closing.link.holds = "all";
    const receipt = await endOn(here, key);
    await closing.hub.close();
    await clock.advance(5_000);
    expect(receipt.value?.nodes.map(({ node }) => node)).toEqual(["here"]);
    expect(receipt.value?.unanswered.map(({ node }) => node)).toEqual(["frozen"]);
  });
});

test("a node that has closed stays forgotten, should a note of it be late, or come again", async () => {
  const { nodes, key, database } = await linkedNodes("here", "closing");
  const [here, closing] = nodes;
  const notes: string[] = [];
  await database.changes?.(
    { changed() {}, broken() {}, missed() {}, told: (note) => void notes.push(note) },
    { heartbeatMs: 1_000 },
  );
  await endOn(here, key); // the other has answered
  const late = notes.filter((note) => note.includes('"answer"'));
  await closing.hub.close();
  for (const note of late) await database.tell?.(note);
  const receipt = await endOn(here, key);
  expect(receipt.value).toMatchObject({ nodes: [{ node: "here" }], unanswered: [] });
});

describe("a session that is not stored", () => {
  test("is looked for by the nodes where it is live", async () => {
    const { nodes, key, database } = await linkedNodes("here", "deaf");
    const [here, deaf] = nodes;
    const { ends, close } = await connect(deaf, key);
    deaf.link.loses = "changes";
    await database.destroy(key, "destroyed");
    const receipt = await endOn(here, key);
    expect(ends).toEqual(["destroyed"]);
    close();
    await settle();
    expect(receipt.value).toMatchObject({
      ended: false,
      nodes: [{ node: "here" }, { node: "deaf", sockets: 1 }],
    });
  });

  test("as another call has just ended it, is confirmed as well", async () => {
    const { nodes, key } = await linkedNodes("here", "there");
    const [here, there] = nodes;
    const { close } = await connect(there, key, 2);
    const receipts = await Promise.all([endOn(here, key), endOn(there, key)]);
    close();
    await settle();
    expect(receipts.map(({ value }) => value?.ended).sort()).toEqual([false, true]);
    for (const { value } of receipts)
      expect(value?.nodes).toContainEqual({ node: "there", sockets: 2, ms: 0 });
  });
});

describe("a session that is live once more, under an id that was given twice", () => {
  test("is confirmed by no node on which it is live", async () => {
    const { nodes, key, database, clock } = await linkedNodes("here", "there");
    const [here, there] = nodes;
    const first = await connect(there, key);
    there.link.holds = "notes";
    const receipt = await endOn(here, key);
    first.close();
    await database.create(key, { cookie }, later(clock));
    const again = await connect(there, key);
    await there.link.letGo();
    await clock.advance(5_000);
    expect(receipt.value).toMatchObject({ nodes: [{ node: "here" }], unanswered: [{ node: "there" }] });
    expect(again.ends).toEqual([]);
  });

  test("though the call has ended none", async () => {
    const { nodes, key, clock } = await linkedNodes("here", "there");
    const [here, there] = nodes;
    const again = await connect(there, key);
    here.store.destroy = async () => false;
    const receipt = await endOn(here, key);
    await clock.advance(5_000);
    expect(receipt.value).toMatchObject({ nodes: [{ node: "here" }], unanswered: [{ node: "there" }] });
    expect(again.ends).toEqual([]);
  });
});
