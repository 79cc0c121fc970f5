import { describe, expect, test } from "vitest";
import type { EventOf } from "../trace.ts";
import { judged, the } from "./a-run.ts";
import { receipts } from "./receipts.ts";

/** Long after the start, so that nothing of it excuses anything. */
const t = 1_000_000;

const started = [the.start(0, "n0"), the.start(0, "n1"), the.stored(1), the.removed(t - 10)];

const receipt = (at: number, more: Partial<EventOf<"receipt">> = {}) => ({
  ...({ at, kind: "receipt", node: "n0", session: "s0", ended: true, others: "asked" } as const),
  ...{ nodes: ["n0", "n1"], unanswered: [], certainBy: t + 60_000 },
  ...more,
});

const withoutN1 = { nodes: ["n0"], unanswered: [{ node: "n1", certainBy: t + 60_000 }] };
const frozen = the.fault(t - 1_000, "pause", t + 500_000, "n1");

describe("a receipt", () => {
  test("of nodes that serve nothing from then on", () => {
    expect(judged(receipts, [...started, the.served(t - 5, "n1"), receipt(t)])).toEqual([]);
  });

  test("names a node that serves the session afterwards, whatever goes wrong", () => {
    expect(judged(receipts, [...started, frozen, receipt(t), the.served(t + 1, "n1")])).toEqual([
      "1000001: n1 served k0 of s0, after the receipt of n0 for s0 at 1000000 has named it.",
    ]);
  });

  test("says of a node that has not answered by when it serves the session no more", () => {
    const until = (at: number) =>
      judged(receipts, [...started, frozen, receipt(t, withoutN1), the.served(at, "n1")]);
    expect(until(t + 59_000)).toEqual([]);
    expect(until(t + 61_000)).toEqual([
      "1061000: n1 served k0 of s0, 998 ms after the lease by the receipt of n0 for s0 at 1000000.",
    ]);
  });

  test("and so of nodes that it does not know", () => {
    const hidden = [...started, the.start(t - 20, "n2"), receipt(t)];
    expect(judged(receipts, [...hidden, the.served(t + 59_000, "n2")])).toEqual([]);
    expect(judged(receipts, [...hidden, the.served(t + 61_000, "n2")])).toHaveLength(1);
  });

  test("is excused by a failover that forgets the end", () => {
    const forgotten = [the.fault(t + 10, "failover", t + 11), the.forgotten(t + 11, null)];
    expect(judged(receipts, [...started, receipt(t), ...forgotten, the.served(t + 20, "n1")])).toEqual([]);
  });

  test("names a node on which a socket is still open", () => {
    const open = [...started, the.asks(t - 30, "n1"), the.admitted(t - 20, "n1"), receipt(t)];
    expect(judged(receipts, [...open, the.closed(t + 100, "n1", "revoked")])).toEqual([]);
    expect(judged(receipts, [...open, the.closed(t + 2_000, "n1", "revoked")])).toEqual([
      "1000000: k0 was open on n1 for 2000 ms after the receipt of n0 for s0 at 1000000 had named it.",
    ]);
  });

  test("leaves out a node at which nothing goes wrong", () => {
    expect(judged(receipts, [...started, receipt(t, withoutN1)])).toEqual([
      "1000000: the receipt of n0 for s0 at 1000000 does not name n1, which had no trouble.",
    ]);
    expect(judged(receipts, [...started, frozen, receipt(t, withoutN1)])).toEqual([]);
    expect(judged(receipts, [...started, receipt(t, { ...withoutN1, others: "unsupported" })])).toEqual([]);
  });
});
