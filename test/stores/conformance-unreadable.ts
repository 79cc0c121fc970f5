/** The part of the suite that is about a session that is stored and can't be read: it fails alone. */
import { expect, it } from "vitest";
import type { Connections } from "./conformance-documents.ts";
import { keyOf } from "./session-keys.ts";

const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

/** What may stand in the place of a session. */
const texts = [
  { what: "text that is cut off", text: '{"cookie":{},"token":"s3cret', isJson: false },
  { what: "an object without a cookie", text: '{"token":"s3cret"}', isJson: true },
  {
    what: "a life time that is a text",
    text: '{"cookie":{"originalMaxAge":"s3cret"}}',
    isJson: true,
  },
  { what: "a maxAge that is a text", text: '{"cookie":{"maxAge":"s3cret"}}', isJson: true },
  { what: "a list", text: '["s3cret"]', isJson: true },
  { what: "a text", text: '"s3cret"', isJson: true },
  { what: "a number", text: "7", isJson: true },
  { what: "null", text: "null", isJson: true },
  {
    what: "a session that is nested too deeply",
    text: `{"cookie":{},"s3cret":${nested(5_000)}}`,
    isJson: true,
  },
];

export interface Damaging {
  /** Writes `text` in the place of a stored session, past the store. */
  damage?(sid: string, text: string): unknown;
}

export function describeUnreadable(
  connections: () => Connections & { harness: Damaging },
  { users, onlyJson }: { users: boolean; onlyJson: boolean },
): void {
  const [good, bad, last] = [keyOf("good"), keyOf("bad"), keyOf("last")];

  it.each(texts.filter(({ isJson }) => isJson || !onlyJson))("fails alone: $what", async ({ text }) => {
    const { store, other, later, harness } = connections();
    for (const key of [good, bad, last]) {
      await store.create(key, { cookie: {}, n: 1 }, later(), "ada");
    }
    await harness.damage?.(bad.sid, text);
    const failure: unknown = await other.read(bad).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "SESSION_UNREADABLE" });
    expect(String(failure)).not.toContain("s3cret");
    for (const key of [good, last]) expect((await other.read(key))?.document.n).toBe(1);
    const unreadable = expect.objectContaining({ code: "SESSION_UNREADABLE" });
    await expect(other.readMany?.([good, bad, last]) ?? Promise.reject(failure)).rejects.toEqual(unreadable);
    expect(Object.keys((await other.all?.()) ?? {}).sort()).toEqual([good.sid, last.sid]);
    if (users) {
      const listed = (await other.listByUser?.("ada")) ?? [];
      expect(Object.fromEntries(listed.map(({ sid, stored }) => [sid, stored?.document.n]))).toEqual({
        [good.sid]: 1,
        [bad.sid]: undefined,
        [last.sid]: 1,
      });
    }
    expect(await other.destroy(bad, "revoked")).toBe(true);
    expect(await store.read(bad)).toBeNull();
    expect(await store.create(bad, { cookie: {}, n: 2 }, later())).not.toBeNull();
    expect((await other.read(bad))?.document.n).toBe(2);
  });
}
