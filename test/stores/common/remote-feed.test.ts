import { beforeEach, describe, expect, test } from "vitest";
import type { SessionChange } from "../../../src/session-store.ts";
import { changeMessage, clearedMessage } from "../../../src/stores/common/messages.ts";
import { RemoteFeed } from "../../../src/stores/common/remote-feed.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";
import { feedOptions, Heard } from "../heard.ts";
import { FakeSource } from "./fake-source.ts";

/** The longest time between two attempts. */
const retryMs = 2_000;
const { heartbeatMs } = feedOptions;

class HeardAlive extends Heard {
  readonly aliveAsOf: number[] = [];

  alive(asOf: number): void {
    this.aliveAsOf.push(asOf);
  }
}

const change = { kind: "ended", publicIds: ["a"], reason: "revoked" } satisfies SessionChange;

let clock: ManualClock;
let source: FakeSource;
let feed: RemoteFeed;
let heard: HeardAlive;
beforeEach(() => {
  clock = new ManualClock();
  source = new FakeSource();
  feed = new RemoteFeed(() => source, clock);
  heard = new HeardAlive();
});

describe("a connection", () => {
  test("counts from its first sign of life on, and is asked for one every heartbeatMs", async () => {
    const start = clock.now();
    await feed.listen(heard, feedOptions);
    expect(heard.aliveAsOf).toContain(start);
    heard.aliveAsOf.length = 0;
    await clock.advance(3 * heartbeatMs);
    expect(heard.aliveAsOf).toEqual([1, 2, 3].map((n) => start + n * heartbeatMs));
    expect(heard).toMatchObject({ errors: [], missedCount: 0 });
  });

  test("counts when every server has passed on its copy, and not sooner", async () => {
    const start = clock.now();
    source.copies = 3;
    await feed.listen(heard, feedOptions);
    expect(heard.aliveAsOf).toContain(start);
    heard.aliveAsOf.length = 0;
    const lost: string[] = [];
    const { sink } = source.last;
    source.publish = async (textOf) => {
      for (const copy of [0, 1, 1]) sink.message(textOf(copy));
      lost.push(textOf(2));
      return 3;
    };
    await clock.advance(heartbeatMs);
    expect(heard.aliveAsOf, "one is missing").toEqual([]);
    for (const text of lost.splice(0)) sink.message(text);
    expect(heard.aliveAsOf).toEqual([start + heartbeatMs]);
    await clock.advance(2 * heartbeatMs);
    expect(heard.errors).toMatchObject([{ code: "STORE_TIMEOUT" }]);
  });

  test("counts although a client publishes its beat twice, as it does if the answer was lost", async () => {
    const start = clock.now();
    source.sendings = 2;
    await feed.listen(heard, feedOptions);
    expect(heard.aliveAsOf).toContain(start);
    source.copies = 3;
    await clock.advance(heartbeatMs);
    expect(heard.aliveAsOf).toContain(start + heartbeatMs);
  });

  test("tells of changes; of what it does not understand, or of a removal of all, that some were missed", async () => {
    await feed.listen(heard, feedOptions);
    source.last.sink.message(changeMessage(change));
    source.last.sink.changed({ kind: "changed", sid: "b" });
    expect(heard.changes).toEqual([change, { kind: "changed", sid: "b" }]);
    source.last.sink.message(clearedMessage);
    source.last.sink.message('{"kind":"renamed"}');
    expect(heard.missedCount).toBe(2);
  });

  test("that is deaf never counts: it is broken after two heartbeats, with the cure", async () => {
    source.opens = "deaf";
    const listening = feed.listen(heard, feedOptions);
    await settle();
    await clock.advance(2 * heartbeatMs);
    const stop = await listening;
    expect(heard.errors).toMatchObject([
      { code: "STORE_TIMEOUT", message: expect.stringContaining(source.silenceCure) },
    ]);
    expect(source.last.isClosed).toBe(true);
    expect(heard).toMatchObject({ aliveAsOf: [], missedCount: 0 });
    await stop();
    await clock.advance(10 * retryMs);
    expect([source.attempts, clock.pending]).toEqual([1, 0]);
  });

  test("tells nothing before it counts, or after it is closed", async () => {
    source.opens = "deaf";
    const listening = feed.listen(heard, feedOptions);
    await settle();
    source.last.sink.message(changeMessage(change));
    source.last.sink.missed();
    source.last.sink.alive(clock.now());
    const stop = await listening;
    source.last.sink.message(changeMessage(change));
    await stop();
    source.last.sink.message(changeMessage(change));
    source.last.sink.alive(clock.now());
    source.last.sink.down(new Error("closed"));
    expect(heard).toMatchObject({ changes: [change], errors: [], missedCount: 0 });
  });

  test("that can't be opened at first is broken, once, and missed when it is open", async () => {
    source.opens = "never";
    await feed.listen(heard, feedOptions);
    await clock.advance(20 * retryMs);
    expect(source.attempts).toBeGreaterThan(2);
    expect(heard).toMatchObject({ errors: [new Error("refused")], missedCount: 0 });
    source.opens = "well";
    await clock.advance(2_000);
    expect(heard).toMatchObject({ errors: [new Error("refused")], missedCount: 1 });
  });
});

describe("a feed that breaks", () => {
  test("by silence: after two heartbeats, and not sooner", async () => {
    await feed.listen(heard, feedOptions);
    source.last.isDeaf = true;
    await clock.advance(2 * heartbeatMs - 1);
    expect(heard.errors).toEqual([]);
    await clock.advance(1);
    expect(heard.errors).toMatchObject([
      { code: "STORE_TIMEOUT", message: expect.stringContaining(source.silenceCure) },
    ]);
    expect(source.connections[0]?.isClosed).toBe(true);
  });

  test("by its connection, or because nothing can be published: at once", async () => {
    await feed.listen(heard, feedOptions);
    source.last.sink.down(new Error("cut"));
    expect(heard.errors).toEqual([new Error("cut")]);
    source.last.sink.message(changeMessage(change)); // what it still says is of no more interest
    source.last.sink.changed(change);
    source.last.sink.alive(clock.now() + 1);
    expect(heard.changes).toEqual([]);
    expect(heard.aliveAsOf).not.toContain(clock.now() + 1);
    await clock.advance(retryMs);
    source.publishes = false;
    await clock.advance(heartbeatMs);
    expect(heard.errors).toEqual([new Error("cut"), new Error("can't publish")]);
  });

  test("is opened anew; then listeners are told that they may have missed something, once", async () => {
    await feed.listen(heard, feedOptions);
    source.last.sink.down(new Error("cut"));
    await clock.advance(100);
    expect(source.connections).toHaveLength(2);
    expect(heard).toMatchObject({ errors: [new Error("cut")], missedCount: 1 });
    source.last.sink.message(changeMessage(change));
    expect(heard.changes).toEqual([change]);
  });

  test("stays broken for as long as nothing opens, or is deaf; each of these is closed again", async () => {
    await feed.listen(heard, feedOptions);
    source.opens = "never";
    source.last.sink.down(new Error("cut"));
    await clock.advance(10 * retryMs);
    expect(source.attempts).toBeGreaterThan(10);
    source.opens = "deaf";
    await clock.advance(10 * (retryMs + 2 * heartbeatMs));
    expect(heard).toMatchObject({ errors: [new Error("cut")], missedCount: 0 });
    source.opens = "well";
    await clock.advance(2 * (retryMs + heartbeatMs));
    expect(heard.missedCount).toBe(1);
    expect(source.connections.filter((connection) => !connection.isClosed)).toEqual([source.last]);
  });

  test("again and again is opened ever less often, though it opens each time; and at once when it had held", async () => {
    await feed.listen(heard, feedOptions);
    source.opens = "flaps";
    await clock.advance(60_000);
    expect(source.attempts).toBeGreaterThan(20);
    expect(source.attempts).toBeLessThan(80); // ten a second otherwise
    source.opens = "well";
    await clock.advance(retryMs + heartbeatMs);
    const { attempts } = source;
    source.last.sink.down(new Error("cut"));
    await clock.advance(100);
    expect(source.attempts).toBe(attempts + 1);
  });

  test("is broken for a later listener too, until it is back", async () => {
    await feed.listen(heard, feedOptions);
    source.last.sink.down(new Error("cut"));
    const late = new HeardAlive();
    await feed.listen(late, feedOptions);
    expect(late.errors).toEqual([new Error("cut")]);
    await clock.advance(retryMs);
    expect([heard.missedCount, late.missedCount]).toEqual([1, 1]);
  });
});

describe("several listeners", () => {
  test("share one connection, and the later one is told of the last sign of life", async () => {
    const start = clock.now();
    await feed.listen(heard, feedOptions);
    await clock.advance(heartbeatMs - 1);
    const second = new HeardAlive();
    await feed.listen(second, feedOptions);
    expect(second.aliveAsOf).toEqual([start]);
    expect(source.attempts).toBe(1);
    source.last.sink.message(changeMessage(change));
    expect([heard.changes, second.changes]).toEqual([[change], [change]]);
  });

  test("leave one by one; with the last the connection and all timers end", async () => {
    const stop = await feed.listen(heard, feedOptions);
    const stopSecond = await feed.listen(new HeardAlive(), feedOptions);
    await stop();
    source.last.sink.message(changeMessage(change));
    expect(heard.changes).toEqual([]);
    expect(source.last.isClosed).toBe(false);
    await stopSecond();
    expect(source.last.isClosed).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

describe("closing", () => {
  test("while a connection is being opened waits for nobody, and closes it when it comes", async () => {
    source.opens = "late";
    const listening = feed.listen(heard, feedOptions);
    await settle();
    await feed.close();
    await listening;
    expect(source.last.isClosed).toBe(false);
    source.last.arrive();
    await settle();
    expect(source.last.isClosed).toBe(true);
    await clock.advance(10 * retryMs);
    expect(heard).toMatchObject({ aliveAsOf: [], errors: [], missedCount: 0 });
    expect([source.attempts, clock.pending]).toEqual([1, 0]);
  });

  test("while it is broken ends the attempts to open it", async () => {
    const stop = await feed.listen(heard, feedOptions);
    source.last.sink.down(new Error("cut"));
    await stop();
    await clock.advance(10 * retryMs);
    expect([source.attempts, clock.pending]).toEqual([1, 0]);
  });

  test("while it is being opened anew: what comes of that is closed, and nobody is told", async () => {
    const stop = await feed.listen(heard, feedOptions);
    source.opens = "late";
    source.last.sink.down(new Error("cut"));
    await clock.advance(100);
    await stop();
    source.last.arrive();
    await settle();
    await clock.advance(10 * retryMs);
    expect(heard.missedCount).toBe(0);
    expect(source.connections.every(({ isClosed }) => isClosed)).toBe(true);
    expect([source.attempts, clock.pending]).toEqual([2, 0]);
  });
});
