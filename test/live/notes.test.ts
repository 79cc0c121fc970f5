/** What is taken for a note of a node, and counts of sockets by notes. */
import { describe, expect, test } from "vitest";
import { noteSigner, noteText } from "../../src/live/notes.ts";
import { countSockets } from "../../src/session/count-sockets.ts";
import { settle } from "../support/manual-clock.ts";
import { connect, endOn, linkedNodes, outcomeOf } from "./linked-nodes.ts";
import { nameOf, sign } from "./live-set.ts";

describe("notes that are none", () => {
  const others = noteSigner(["another application's secret, of its own"]);

  test("confirm nothing: forged answers, and what is malformed", async () => {
    const { nodes, key, clock, database } = await linkedNodes("here", "frozen");
    const [here, frozen] = nodes;
    frozen.link.holds = "all";
    const notes: string[] = [];
    await database.changes?.(
      { changed() {}, broken() {}, missed() {}, told: (note) => void notes.push(note) },
      { heartbeatMs: 1_000 },
    );
    const receipt = await endOn(here, key);
    const [question = ""] = notes;
    const { ask } = JSON.parse(question.slice(question.indexOf(" ") + 1));
    const from = { id: "frozen", name: "frozen", leaseMs: 1 };
    const forged = noteText({ kind: "answer", from, ask, sockets: [1] }, others);
    // Another writer may store a session under any id, and read its public id where the application shows it.
    const answer = JSON.stringify({ kind: "answer", from, ask, sockets: [1] });
    const byPublicId = `${nameOf(answer).publicId} ${answer}`;
    const signed = (body: string) => `${sign(body).join(",")} ${body}`;
    const malformed = [
      ...[
        byPublicId,
        "",
        " ",
        "{}",
        "null",
        forged,
        forged.replace(/^\S+/, ""),
        question.replace("ask", "answer"),
      ],
      ...[signed("null"), signed("[]"), signed('"text"'), signed("{}")],
      signed(JSON.stringify({ kind: "hello", from: { id: 1, name: "a", leaseMs: 1 } })),
      signed(JSON.stringify({ kind: "answer", from, ask, sockets: [-1] })),
      signed(JSON.stringify({ kind: "answer", from, ask, sockets: "1" })),
      signed(JSON.stringify({ kind: "ask", from, ask, question: { kind: "end" } })),
      signed(JSON.stringify({ kind: "ask", from, ask, question: { kind: "count", sessions: [1] } })),
      signed(JSON.stringify({ kind: "of a newer release", from })),
    ];
    for (const note of malformed) await database.tell?.(note);
    await clock.advance(5_000);
    expect(receipt.value?.nodes.map(({ node }) => node)).toEqual(["here"]);
    expect(receipt.value?.unanswered.map(({ node }) => node)).toEqual(["frozen"]);
    expect(here.errors).toEqual([]);
  });

  test("an answer that comes twice counts once", async () => {
    const { nodes, key, database } = await linkedNodes("here", "there");
    const [here, there] = nodes;
    const { close } = await connect(there, key, 2);
    const tell = database.tell?.bind(database);
    database.tell = async (note) => {
      await tell?.(note);
      await tell?.(note);
    };
    const receipt = await endOn(here, key);
    close();
    await settle();
    expect(receipt.value?.nodes).toEqual([
      { node: "here", sockets: 0, ms: 0 },
      { node: "there", sockets: 2, ms: 0 },
    ]);
  });
});

describe("introductions", () => {
  const names = Array.from({ length: 12 }, (_, index) => `node ${index}`);

  test("are few after a gap of all nodes, and every node knows all others", async () => {
    const { nodes, key, clock, database } = await linkedNodes(...names);
    let notes = 0;
    await database.changes?.(
      { changed() {}, broken() {}, missed() {}, told: () => void notes++ },
      { heartbeatMs: 1_000 },
    );
    for (const { link } of nodes) link.cut();
    for (const { link } of nodes) await link.heal();
    await clock.advance(1_000);
    expect(notes).toBeLessThanOrEqual(3 * names.length);
    for (const node of nodes) {
      const receipt = await endOn(node, key);
      expect(receipt.value?.nodes).toHaveLength(names.length);
    }
  });

  test("of thousands of processes that were killed leave some behind", async () => {
    const { nodes, key, database } = await linkedNodes("here", "there");
    for (let start = 0; start < 3_000; start++) {
      const from = { id: `start ${start}`, name: "killed", leaseMs: 1 };
      await database.tell?.(noteText({ kind: "hello", from }, sign));
    }
    const counts = outcomeOf(countSockets(nodes[0].hub.nodes, [key]));
    await settle();
    await nodes[0].clock.advance(1_000);
    expect(counts.value?.[0]?.unanswered).toHaveLength(999);
  });
});

describe("a count of sockets", () => {
  test("adds up those of the nodes that have answered within a second, and names the others", async () => {
    const { nodes, key, clock } = await linkedNodes("here", "there", "frozen");
    const [here, there, frozen] = nodes;
    for (const [node, sockets] of [
      [here, 1],
      [there, 2],
      [there, 3],
      [frozen, 4],
    ] as const)
      await connect(node, key, sockets);
    frozen.link.holds = "all";
    const counts = outcomeOf(countSockets(here.hub.nodes, [key, nameOf("another session")]));
    await settle();
    await clock.advance(999);
    expect(counts.isSettled).toBe(false);
    await clock.advance(1);
    expect(counts.value).toEqual([
      { here: 1, others: 5, unanswered: ["frozen"] },
      { here: 0, others: 0, unanswered: ["frozen"] },
    ]);
  });

  test("says that it knows nothing of others while the own feed is cut", async () => {
    const { nodes, key } = await linkedNodes("here", "there");
    await connect(nodes[0], key, 1);
    nodes[0].link.cut();
    expect(await countSockets(nodes[0].hub.nodes, [key])).toEqual([
      { here: 1, others: undefined, unanswered: ["there"] },
    ]);
  });

  test("of many sessions takes some notes, of a few KB each", async () => {
    const { nodes, key, database } = await linkedNodes("here", "there");
    await connect(nodes[1], key, 7);
    const notes: string[] = [];
    await database.changes?.(
      { changed() {}, broken() {}, missed() {}, told: (note) => void notes.push(note) },
      { heartbeatMs: 1_000 },
    );
    const many = Array.from({ length: 249 }, (_, index) => nameOf(`session ${index}`));
    const counts = await countSockets(nodes[0].hub.nodes, [...many, key]);
    expect(counts).toHaveLength(250);
    expect(counts.at(-1)).toEqual({ here: 0, others: 7, unanswered: [] });
    expect(notes).toHaveLength(2 * 3);
    for (const note of notes) expect(Buffer.byteLength(note)).toBeLessThan(4_096);
    expect(await countSockets(nodes[0].hub.nodes, [])).toEqual([]);
  });
});
