/**
 * The promises of the store port as tests. A store's own test file calls this in a few lines:
 *
 * ```ts
 * describeStore("memory", traits, async () => harness);
 * ```
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SessionDocument, SessionStore } from "../../src/core/session-store.ts";
import { describeDocuments } from "./conformance-documents.ts";
import { describeFeed } from "./conformance-feed.ts";
import { type Damaging, describeUnreadable } from "./conformance-unreadable.ts";
import { describeUsers } from "./conformance-users.ts";
import { keyOf } from "./session-keys.ts";

export interface StoreHarness extends Damaging {
  /** The store as another connection sees it; the same object where connections would not see each other. */
  open(): SessionStore;
  now(): number;
  advance(ms: number): void | Promise<void>;
  end(): Promise<void>;
}

export interface StoreTraits {
  atomic: boolean;
  feed: boolean;
  /** Revisions name writes; else content, and equal content has an equal revision. */
  uniqueRevisions: boolean;
  /** A session ends at its millisecond; else within the second. */
  exactExpiry: boolean;
  /** Time also passes by itself, so that nothing can be seen in a session's last millisecond. Default: false. */
  timePasses?: boolean;
  /** Keeps any key of any object; else what its format refuses is refused with an error. Default: true. */
  anyKey?: boolean;
  /** Keeps texts that are not well-formed; else U+FFFD stands for each lone surrogate. Default: true. */
  anyText?: boolean;
  /** Ids that take more are refused with an error; else none is. */
  longestIdBytes?: number;
  /** How deep a session is nested that is tried. Default: 64, the deepest that may be written. */
  levels?: number;
  /** What the harness's `damage` can write in the place of a session. Absent: it has none. */
  damage?: "any text" | "JSON";
  /** Has an index of each user's sessions. Default: false. */
  users?: boolean;
  /** How many sessions of one user are tried. Default: 10,000. */
  manySessions?: number;
}

const key = keyOf("a session");
const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: "/" };
const document: SessionDocument = { cookie, n: 0 };
const HOUR = 3_600_000;

export function describeStore(name: string, traits: StoreTraits, start: () => Promise<StoreHarness>): void {
  describe(name, () => {
    let harness: StoreHarness;
    let store: SessionStore;
    let other: SessionStore;
    const later = (ms = HOUR) => harness.now() + ms;
    /** That time: to the millisecond where the store keeps it like that. */
    const about = (time: number) => (traits.exactExpiry ? time : closeTo(time, 1000));
    /** With a cookie that says when it ends, which is what some wrapped stores go by. */
    const lasting = (ms: number): SessionDocument => ({
      cookie: { originalMaxAge: ms, expires: new Date(later(ms)).toISOString() },
    });

    beforeEach(async () => {
      harness = await start();
      store = harness.open();
      other = harness.open();
    });
    afterEach(() => harness.end());

    it("says what it is", () => {
      expect(store.name).toMatch(/\w/);
      expect(store.atomic).toBe(traits.atomic);
      expect(store.changes !== undefined).toBe(traits.feed);
    });

    it("reads nothing where nothing was stored", async () => {
      expect(await store.read(key)).toBeNull();
    });

    it("creates once, and leaves what is there alone", async () => {
      const revision = await store.create(key, document, later());
      expect(revision).not.toBeNull();
      expect(await other.create(key, { cookie, n: 1 }, later())).toBeNull();
      expect(await other.read(key)).toEqual({ document, expiresAt: about(later()), revision });
    });

    it("lets one of many simultaneous creations win", async () => {
      const creations = Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? store : other).create(key, { cookie, n }, later()),
      );
      const winners = (await Promise.all(creations)).flatMap((revision, n) => (revision === null ? [] : [n]));
      expect(winners).toHaveLength(1);
      expect((await store.read(key))?.document.n).toBe(winners[0]);
    });

    it("keeps the life time that is stored, also one that a touch has extended, where asked to", async () => {
      const first = await store.create(key, lasting(HOUR), later());
      await other.touch(key, later(2 * HOUR), lasting(HOUR).cookie);
      const second = await store.replace(key, first ?? "", { ...lasting(HOUR), n: 1 }, "keep");
      expect(second).not.toBeNull();
      const found = await other.read(key);
      expect(found?.document.n).toBe(1);
      expect(Math.abs((found?.expiresAt ?? 0) - later(2 * HOUR))).toBeLessThanOrEqual(1000);
    });

    it("replaces what is still as it was read", async () => {
      const first = await store.create(key, document, later());
      const second = await other.replace(key, first ?? "", { cookie, n: 1 }, later(2 * HOUR));
      expect(second).not.toBeNull();
      expect(second).not.toBe(first);
      expect(await store.read(key)).toEqual({
        document: { cookie, n: 1 },
        expiresAt: about(later(2 * HOUR)),
        revision: second,
      });
    });

    it("changes nothing on a stale revision", async () => {
      const first = await store.create(key, document, later());
      const second = await store.replace(key, first ?? "", { cookie, n: 1 }, later());
      expect(await other.replace(key, first ?? "", { cookie, n: 2 }, later(2 * HOUR))).toBeNull();
      expect(await store.read(key)).toEqual({
        document: { cookie, n: 1 },
        expiresAt: about(later()),
        revision: second,
      });
    });

    it("loses none of many concurrent increments", { timeout: 60_000 }, async () => {
      await store.create(key, document, later());
      const increment = async (connection: SessionStore) => {
        for (;;) {
          const found = await connection.read(key);
          if (!found) throw new Error("Expected the session to be there.");
          const incremented = { ...found.document, n: Number(found.document.n) + 1 };
          if ((await connection.replace(key, found.revision, incremented, found.expiresAt)) !== null) return;
        }
      };
      const connections = [store, other, harness.open(), harness.open()];
      await Promise.all(
        connections.flatMap((connection) => Array.from({ length: 25 }, () => increment(connection))),
      );
      expect((await store.read(key))?.document.n).toBe(100);
    });

    it("never creates by replace or touch", async () => {
      const revision = await store.create(key, document, later());
      await other.destroy(key, "destroyed");
      expect(await store.replace(key, revision ?? "", document, later())).toBeNull();
      expect(await store.touch(key, later(), cookie)).toBe(false);
      expect(await store.touch(keyOf("never stored"), later(), cookie)).toBe(false);
      expect(await other.read(key)).toBeNull();
      expect(await other.read(keyOf("never stored"))).toBeNull();
    });

    it("ends a session when its time is over", async () => {
      await store.create(key, lasting(1000), later(1000));
      await harness.advance(traits.timePasses ? 500 : 999);
      expect(await other.read(key)).not.toBeNull();
      await harness.advance(traits.exactExpiry ? 1 : 1000);
      expect(await other.read(key)).toBeNull();
    });

    it("never revives a session whose time is over", async () => {
      const revision = await store.create(key, lasting(1000), later(1000));
      await harness.advance(traits.exactExpiry ? 1000 : 2000);
      expect(await store.replace(key, revision ?? "", lasting(HOUR), later())).toBeNull();
      expect(await store.touch(key, later(), lasting(HOUR).cookie)).toBe(false);
      expect(await store.destroy(key, "destroyed")).toBe(false);
      expect(await store.read(key)).toBeNull();
      expect(await store.create(key, { cookie, n: 1 }, later())).not.toBeNull();
      expect((await other.read(key))?.document.n).toBe(1);
    });

    it("extends by touch, and leaves the revision", async () => {
      const created = lasting(1000);
      const revision = await store.create(key, created, later(1000));
      const extended = later();
      const expires = new Date(extended).toISOString();
      expect(await store.touch(key, extended, { ...created.cookie, expires })).toBe(true);
      await harness.advance(2000);
      const found = await store.read(key);
      expect(found?.expiresAt).toEqual(about(extended));
      expect(found?.revision).toBe(revision);
      expect(await store.replace(key, revision ?? "", { cookie, n: 1 }, later())).not.toBeNull();
    });

    it("never shortens by touch", async () => {
      await store.create(key, document, later());
      expect(await store.touch(key, later(1000), cookie)).toBe(true);
      await harness.advance(2000);
      expect((await store.read(key))?.expiresAt).toEqual(about(later(HOUR - 2000)));
    });

    it("destroys once", async () => {
      await store.create(key, document, later());
      expect(await other.destroy(key, "destroyed")).toBe(true);
      expect(await store.destroy(key, "destroyed")).toBe(false);
      expect(await store.read(key)).toBeNull();
    });

    if (traits.uniqueRevisions) {
      it("never gives a revision twice for an id", async () => {
        const seen = new Set<unknown>();
        for (let round = 0; round < 10; round += 1) {
          const first = await (round % 2 ? store : other).create(key, document, later());
          const second = await store.replace(key, first ?? "", document, later());
          await other.destroy(key, "destroyed");
          seen.add(first).add(second);
          expect(await store.replace(key, second ?? "", document, later())).toBeNull();
        }
        expect(seen.size).toBe(20);
      });
    }

    it("reads many at once, in order, as it reads one", async () => {
      const revision = await store.create(key, document, later());
      await store.create(keyOf("over"), lasting(1000), later(1000));
      await harness.advance(2000);
      if (!store.readMany) return;
      const found = await other.readMany?.([keyOf("over"), key, keyOf("never"), key]);
      const expected = { document, expiresAt: about(later(HOUR - 2000)), revision };
      expect(found).toEqual([null, expected, null, expected]);
      expect(await other.readMany?.([])).toEqual([]);
    });

    it("closes more than once", async () => {
      await other.close();
      await Promise.all([other.close(), other.close()]);
    });

    const connections = () => ({ store, other, later, harness });
    const { anyKey = true, anyText = true, longestIdBytes = Number.POSITIVE_INFINITY, levels = 64 } = traits;
    describeDocuments(connections, { anyKey, anyText, longestIdBytes, levels });
    if (traits.feed) describe("feed", () => describeFeed(connections));
    if (traits.damage) {
      const setting = { users: traits.users ?? false, onlyJson: traits.damage === "JSON" };
      describe("what can't be read", () => describeUnreadable(connections, setting));
    }
    if (traits.users)
      describe("users", () => describeUsers(connections, { manySessions: traits.manySessions ?? 10_000 }));
  });
}

/** An asymmetric matcher: within `tolerance` of `expected`. */
function closeTo(expected: number, tolerance: number): unknown {
  return {
    asymmetricMatch: (actual: unknown) =>
      typeof actual === "number" && Math.abs(actual - expected) <= tolerance,
    toString: () => `about ${expected}`,
  };
}
