/** What `stats().store.feed` says from the start on. */
import { type Clock, type FeedListener, liveSessions, type SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { Feed } from "../../src/live/feed.ts";
import type { FeedOptions, Unsubscribe } from "../../src/session-store.ts";
import { RemoteFeed } from "../../src/stores/common/remote-feed.ts";
import { FakeSource } from "../stores/common/fake-source.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { describeStores } from "../support/matrix.ts";

describe("a feed that is subscribed to for the first time", () => {
  const listener: { current?: FeedListener } = {};
  const feedOf = ({
    subscribe = async () => {},
    open,
    catchUp,
  }: {
    subscribe?: () => Promise<void>;
    open?: (listener: FeedListener, options: FeedOptions, clock: Clock) => Promise<Unsubscribe>;
    catchUp?: () => Promise<boolean>;
  }) => {
    const clock = new ManualClock();
    const store: SessionStore = memoryStore({ clock });
    store.changes = async (given, options) => {
      if (open) return open(given, options, clock);
      listener.current = given;
      await subscribe();
      return async () => {};
    };
    const failures: unknown[] = [];
    const states: string[] = [];
    const became: string[] = [];
    const feed = new Feed({
      store,
      clock,
      heartbeatMs: 1_000,
      changed: () => {},
      told: () => {},
      gap: () => states.push(feed.state),
      failed: (error) => failures.push(error),
      catchUp: catchUp ?? (async () => true),
      whole: () => states.push(feed.state),
      became: (state) => became.push(state),
    });
    return { feed, clock, failures, states, became };
  };

  test("is opening until it is whole, and not broken in between", async () => {
    const made = Promise.withResolvers<void>();
    const { feed, clock, failures, states } = feedOf({ subscribe: () => made.promise });
    expect(feed.state).toBe("none");
    feed.start();
    expect(feed.state).toBe("opening");
    made.resolve();
    await clock.advance(0);
    expect([states, failures]).toEqual([["opening", "whole"], []]);
  });

  test("is broken if the store can't open it, and whole once the store has", async () => {
    const { feed, clock, failures, became } = feedOf({
      subscribe: async () => listener.current?.broken(new Error("down")),
    });
    feed.start();
    await clock.advance(0);
    expect([feed.state, failures]).toEqual(["broken", [new Error("down")]]);
    listener.current?.missed();
    await clock.advance(0);
    expect(became).toEqual(["broken", "whole"]);
  });

  test("is opened again where the store rejects the subscription, and is broken until then", async () => {
    let attempts = 0;
    const { feed, clock, failures, became } = feedOf({
      subscribe: async () => {
        if (attempts++ < 3) throw new Error("no feed");
      },
    });
    feed.start();
    await clock.advance(0);
    expect([attempts, became, failures]).toEqual([1, ["broken"], [new Error("no feed")]]);
    await clock.advance(3_000);
    expect([attempts, became, failures]).toEqual([4, ["broken", "whole"], [new Error("no feed")]]);
  });

  test("says nothing of what it caught up with at once", async () => {
    const { feed, clock, states, became } = feedOf({});
    feed.start();
    await clock.advance(0);
    states.length = 0;
    listener.current?.missed();
    await clock.advance(0);
    expect([feed.state, became]).toEqual(["whole", ["whole"]]);
  });

  test("over a database that is down from the start reports it once, however often it is tried", async () => {
    const source = new FakeSource();
    source.opens = "never";
    const { feed, clock, failures, became } = feedOf({
      open: (given, options, time) => new RemoteFeed(() => source, time).listen(given, options),
    });
    feed.start();
    await settle();
    await clock.advance(60_000);
    expect(source.attempts).toBeGreaterThan(20);
    expect([failures, became]).toEqual([[new Error("refused")], ["broken"]]);
    source.opens = "well";
    await clock.advance(2_000);
    expect([failures, became]).toEqual([[new Error("refused")], ["broken", "whole"]]);
  });

  test("is broken if the sessions can't be read by then", async () => {
    let attempts = 0;
    const { feed, clock, states } = feedOf({
      subscribe: async () => {},
      catchUp: async () => attempts++ > 0,
    });
    feed.start();
    await clock.advance(0);
    expect(feed.state).toBe("broken");
    await clock.advance(1_000);
    expect(states).toEqual(["opening", "whole"]);
  });

  test("is broken when it is cut after that", async () => {
    const { feed, clock } = feedOf({ subscribe: async () => {} });
    feed.start();
    await clock.advance(0);
    expect(feed.state).toBe("whole");
    listener.current?.broken(new Error("cut"));
    expect(feed.state).toBe("broken");
  });
});

describeStores("a health check at the start", ({ store }) => {
  let close = async () => {};
  afterEach(() => close());

  test("sees a feed that is opening, and then whole; or none", async () => {
    const sessions = liveSessions({ store: store.open(), secret: "a secret of thirty-two characters" });
    close = () => sessions.close();
    const state = () => sessions.stats().store.feed;
    expect(state()).toBe(store.feed ? "opening" : "none");
    const seen = new Set<string>();
    await expect
      .poll(() => {
        seen.add(state());
        return state();
      })
      .toBe(store.feed ? "whole" : "none");
    expect(seen).not.toContain("broken");
  });
});
