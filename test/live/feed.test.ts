/** What `stats().store.feed` says from the start on. */
import { type FeedListener, liveSessions, type SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { Feed } from "../../src/live/feed.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { describeStores } from "../support/matrix.ts";

describe("a feed that is subscribed to for the first time", () => {
  const listener: { current?: FeedListener } = {};
  const feedOf = ({
    subscribe,
    catchUp,
  }: {
    subscribe: () => Promise<void>;
    catchUp?: () => Promise<boolean>;
  }) => {
    const clock = new ManualClock();
    const store: SessionStore = memoryStore({ clock });
    store.changes = async (given) => {
      listener.current = given;
      await subscribe();
      return async () => {};
    };
    const failures: unknown[] = [];
    const states: string[] = [];
    const feed = new Feed({
      store,
      clock,
      heartbeatMs: 1_000,
      changed: () => {},
      gap: () => states.push(feed.state),
      failed: (error) => failures.push(error),
      catchUp: catchUp ?? (async () => true),
      whole: () => states.push(feed.state),
    });
    return { feed, clock, failures, states };
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

  test("is broken if that fails, until it is whole", async () => {
    let attempts = 0;
    const { feed, clock, failures, states } = feedOf({
      subscribe: () => (attempts++ === 0 ? Promise.reject(new Error("down")) : Promise.resolve()),
    });
    feed.start();
    await clock.advance(0);
    expect([feed.state, failures]).toEqual(["broken", [new Error("down")]]);
    await clock.advance(1_000);
    expect(states).toEqual(["broken", "broken", "whole"]);
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
