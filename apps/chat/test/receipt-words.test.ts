import { expect, test } from "vitest";
import { receiptWords } from "../server/end-sessions.ts";

const rest = { ended: true, others: "asked", certainBy: undefined } as const;

test("a receipt is told in words: where sockets were closed, how fast, and which node has not answered", () => {
  const here = { node: "node 1", sockets: 0, ms: 0 };
  const there = { node: "node 3", sockets: 2, ms: 4.4 };
  expect(receiptWords({ ...rest, nodes: [here, there], unanswered: [] })).toBe(
    "Revoked on node 1. Closed: 2 sockets on node 3 in 4 ms.",
  );
  expect(
    receiptWords({
      ...rest,
      nodes: [{ ...here, sockets: 1 }, there],
      unanswered: [{ node: "node 2", certainBy: 0 }],
    }),
  ).toBe(
    "Revoked on node 1. Closed: 1 socket on node 1 in less than 1 ms, 2 sockets on node 3 in 4 ms. No answer from node 2.",
  );
  expect(receiptWords({ ...rest, nodes: [here, { ...there, sockets: 0 }], unanswered: [] })).toBe(
    "Revoked on node 1. No socket was open.",
  );
  expect(receiptWords({ ...rest, nodes: [there], unanswered: [] })).toBe(
    "Revoked. Closed: 2 sockets in 4 ms.",
  );
  expect(receiptWords({ ...rest, nodes: [], unanswered: [] })).toBe("It was over already.");
});
