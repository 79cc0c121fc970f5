/** The part of the suite that is about the change feed. */
import { expect, it, vi } from "vitest";
import type { Connections } from "./conformance-documents.ts";
import { everythingTold, feedOptions, Heard, isOf, listen } from "./heard.ts";
import { keyOf } from "./session-keys.ts";

const key = keyOf("a session");

export function describeFeed(
  connections: () => Connections & { harness: { advance(ms: number): void | Promise<void> } },
): void {
  it("tells everyone of changes and ends, exactly and in order", async () => {
    const { store, other, later } = connections();
    const near = await listen(store);
    const far = await listen(other);
    const first = await store.create(key, { cookie: {}, n: 0 }, later());
    const second = await store.replace(key, first ?? "", { cookie: {}, n: 1 }, later(), undefined, "write 1");
    await other.replace(key, second ?? "", { cookie: {}, n: 2 }, later(), undefined, "write 2");
    await other.destroy(key, "revoked");
    await store.create(key, { cookie: {} }, later());
    await store.destroy(key, "replaced");
    await everythingTold(other, near.heard, far.heard);
    for (const listener of [near, far]) {
      const { heard } = listener;
      expect(heard.changes.every((change) => isOf(change, key))).toBe(true);
      expect(heard.changes).toMatchObject([
        { kind: "changed", write: "write 1" },
        { kind: "changed", write: "write 2" },
        { kind: "ended", reason: "revoked" },
        { kind: "ended", reason: "replaced" },
      ]);
      expect(heard.missedCount).toBe(0);
      expect(heard.errors).toEqual([]);
    }
  });

  it("tells nothing of reads, touches, and writes that changed nothing", async () => {
    const { store, other, later, harness } = connections();
    await store.create(keyOf("over before anyone listened"), { cookie: {} }, later());
    await store.destroy(keyOf("over before anyone listened"), "destroyed");
    const revision = await store.create(key, { cookie: {} }, later());
    const expired = await store.create(keyOf("expired"), { cookie: {} }, later(1000));
    await harness.advance(1000);
    const near = await listen(store);
    const far = await listen(other);
    await store.read(key);
    await store.touch(key, later(), { expires: null });
    await store.create(key, { cookie: {} }, later());
    await store.replace(key, `${revision} is stale`, { cookie: {} }, later());
    await store.replace(keyOf("expired"), expired ?? "", { cookie: {} }, later());
    await store.destroy(keyOf("expired"), "destroyed");
    await store.destroy(keyOf("never stored"), "destroyed");
    await everythingTold(store, near.heard, far.heard);
    expect(near.heard.changes).toEqual([]);
    expect(far.heard.changes).toEqual([]);
  });

  it("lets a listener that throws disturb nobody", async () => {
    const { store, other, later } = connections();
    const thrower = new Heard();
    const failing = vi.fn((): void => {
      throw new Error("a listener's own failure");
    });
    thrower.changed = failing;
    for (const connection of [store, other]) await connection.changes?.(thrower, feedOptions);
    const near = await listen(store);
    const far = await listen(other);
    await store.create(key, { cookie: {} }, later());
    expect(await store.destroy(key, "destroyed")).toBe(true);
    await everythingTold(store, near.heard, far.heard);
    expect(near.heard.changes).toHaveLength(1);
    expect(far.heard.changes).toHaveLength(1);
    expect(failing).toHaveBeenCalled();
  });

  it("stops at unsubscribe, for that subscription alone", async () => {
    const { store, other, later } = connections();
    const stopped = await listen(other);
    const going = await listen(other);
    await store.create(key, { cookie: {} }, later());
    await stopped.stop();
    await stopped.stop();
    await store.destroy(key, "destroyed");
    await everythingTold(store, going.heard);
    expect(going.heard.changes).toHaveLength(1);
    expect(stopped.heard.changes).toEqual([]);
    await going.stop();

    const again = await listen(other);
    await everythingTold(store, again.heard);
    expect(again.heard.changes).toEqual([]);
    expect(again.heard.missedCount).toBe(0);
  });

  it("lets a listener write, and tells that in its order", async () => {
    const { store, later } = connections();
    const answering = new Heard();
    let answered: Promise<boolean> | undefined;
    answering.changed = () => {
      answering.changed = () => {};
      answered = store.destroy(keyOf("answer"), "revoked");
    };
    await store.changes?.(answering, feedOptions);
    const { heard } = await listen(store);
    await store.create(keyOf("answer"), { cookie: {} }, later());
    await store.create(key, { cookie: {} }, later());
    await store.destroy(key, "destroyed");
    await vi.waitFor(() => expect(answered).toBeDefined(), { timeout: 5000, interval: 5 });
    expect(await answered).toBe(true);
    await everythingTold(store, heard);
    expect(
      heard.changes.map((change) => [key, keyOf("answer")].findIndex((one) => isOf(change, one))),
    ).toEqual([0, 1]);
  });

  it("tells `missed` when all sessions are cleared", async () => {
    const { store, other, later } = connections();
    await store.create(key, { cookie: {} }, later());
    const near = await listen(store);
    const far = await listen(other);
    await store.clear?.();
    await everythingTold(store, near.heard, far.heard);
    expect(near.heard.missedCount).toBe(1);
    expect(far.heard.missedCount).toBe(1);
    expect(await other.read(key)).toBeNull();
  });
}
