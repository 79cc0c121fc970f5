import { describe, expect, test } from "vitest";
import type { EventOf } from "../trace.ts";
import { judged, the } from "./a-run.ts";
import { oneTicket } from "./one-ticket.ts";

/** Long after the start, so that nothing of it excuses anything. */
const t = 1_000_000;

/** A client shows the ticket, and is let in. */
function enters(at: number, socket: string, how: Partial<EventOf<"shown">> = {}) {
  return [the.asks(at, "n1", socket), the.shown(at, "n1", socket, how), the.admitted(at + 50, "n1", socket)];
}

describe("one ticket", () => {
  test("lets one connection in, for all its sockets", () => {
    const events = [the.issued(t), ...enters(t + 100, "k0"), ...enters(t + 120, "k1", { connection: "k0" })];
    expect(judged(oneTicket, events)).toEqual([]);
  });

  test("that lets in two", () => {
    const events = [the.issued(t), ...enters(t + 100, "k0"), ...enters(t + 120, "k1")];
    expect(judged(oneTicket, events)).toEqual(["1000170: n1 admitted k1 by t0, which had let in k0 on n1."]);
  });

  test("a failover may bring it back", () => {
    const failover = the.fault(t + 200, "failover", t + 300);
    const events = [the.issued(t), ...enters(t + 100, "k0"), failover, ...enters(t + 400, "k1")];
    expect(judged(oneTicket, events)).toEqual([]);
  });

  test("one that is shown in vain lets the next in", () => {
    const vain = [the.shown(t + 50, "n0", "k0"), the.refused(t + 60, "n0", false, "k0")];
    expect(
      judged(oneTicket, [the.issued(t), the.asks(t + 50, "n0"), ...vain, ...enters(t + 90, "k1")]),
    ).toEqual([]);
  });

  test("for a page of another origin", () => {
    expect(judged(oneTicket, [the.issued(t, "listed"), ...enters(t + 100, "k0")])).toEqual([
      "1000150: n1 admitted k0 by t0, which is for clients of listed, and it comes from own.",
    ]);
  });

  test("on a connection that has another session by its cookie", () => {
    expect(judged(oneTicket, [the.issued(t), ...enters(t + 100, "k0", { cookie: "another" })])).toEqual([
      "1000150: n1 admitted k0 by t0, on a connection of another session.",
    ]);
    expect(judged(oneTicket, [the.issued(t), ...enters(t + 100, "k0", { cookie: "own" })])).toEqual([]);
  });

  test("after its time, by any clock", () => {
    expect(judged(oneTicket, [the.issued(t), ...enters(t + 30_100, "k0")])).toEqual([]);
    expect(judged(oneTicket, [the.issued(t), ...enters(t + 30_300, "k0")])).toEqual([
      "1030350: n1 admitted k0 by t0, 300 ms after its time was over.",
    ]);
    expect(judged(oneTicket, [the.issued(t), ...enters(t + 30_300, "k0")], { maxSkewMs: 500 })).toEqual([]);
  });

  test("a life that counts from when the write arrives may be longer where that was late", () => {
    const slow = the.fault(t - 2_000, "slow", t - 1_000);
    expect(judged(oneTicket, [slow, the.issued(t), ...enters(t + 40_000, "k0")])).toEqual([]);
    expect(judged(oneTicket, [slow, the.issued(t), ...enters(t + 60_000, "k0")])).toHaveLength(1);
  });
});
