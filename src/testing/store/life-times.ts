/** How sessions expire and are extended. */
import type { SessionDocument } from "../../session-store.ts";
import { expectEqual, expectFound, expectNear, expectStored, expectWritten } from "./expectations.ts";
import { keyOf } from "./keys.ts";
import { type Check, HOUR, type ResolvedTraits } from "./setting.ts";

const key = keyOf("a session");
const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: "/" };
const document: SessionDocument = { cookie, n: 0 };

export function lifeTimeChecks({ exactExpiry, timePasses }: ResolvedTraits): readonly Check[] {
  const ends: Check = {
    name: "ends a session when its time is over",
    async run({ store, other, harness, later, lasting }) {
      await store.create(key, lasting(1000), later(1000));
      await harness.advance(timePasses ? 500 : 999);
      expectFound(await other.read(key), "read before its time is over");
      await harness.advance(exactExpiry ? 1 : 1000);
      expectEqual(await other.read(key), null, "read after its time is over");
    },
  };
  const staysOver: Check = {
    name: "never revives a session whose time is over",
    async run({ store, other, harness, later, lasting }) {
      const revision = expectWritten(await store.create(key, lasting(1000), later(1000)), "create");
      await harness.advance(exactExpiry ? 1000 : 2000);
      expectEqual(await store.replace(key, revision, lasting(HOUR), later()), null, "replace");
      expectEqual(await store.touch(key, later(), lasting(HOUR).cookie), false, "touch");
      expectEqual(await store.destroy(key, "destroyed"), false, "destroy");
      expectEqual(await store.read(key), null, "read");
      expectWritten(await store.create(key, { cookie, n: 1 }, later()), "create of the same id");
      expectEqual((await other.read(key))?.document.n, 1, "read of the new session");
    },
  };
  return [ends, staysOver, ...extending];
}

const extending: readonly Check[] = [
  {
    name: "extends by touch, and leaves the revision",
    async run({ store, harness, later, lasting, toleranceMs }) {
      const created = lasting(1000);
      const revision = expectWritten(await store.create(key, created, later(1000)), "create");
      const extended = later();
      const expires = new Date(extended).toISOString();
      expectEqual(await store.touch(key, extended, { ...created.cookie, expires }), true, "touch");
      await harness.advance(2000);
      const found = expectFound(await store.read(key), "read after the time that create gave it");
      expectNear(found.expiresAt, extended, toleranceMs, "expiresAt after touch");
      expectEqual(found.revision, revision, "revision after touch");
      const replaced = await store.replace(key, revision, { cookie, n: 1 }, later());
      expectWritten(replaced, "replace of the revision of before the touch");
    },
  },
  {
    name: "never shortens by touch",
    async run({ store, harness, later, toleranceMs }) {
      await store.create(key, document, later());
      expectEqual(await store.touch(key, later(1000), cookie), true, "touch with an earlier time");
      await harness.advance(2000);
      const found = expectFound(await store.read(key), "read after the time of the touch");
      expectNear(found.expiresAt, later(HOUR - 2000), toleranceMs, "expiresAt");
    },
  },
  {
    name: "reads many at once, in order, as it reads one",
    async run({ store, other, harness, later, lasting, toleranceMs }) {
      const over = keyOf("over");
      const expiresAt = later();
      const revision = expectWritten(await store.create(key, document, expiresAt), "create");
      await store.create(over, lasting(1000), later(1000));
      await harness.advance(2000);
      const found = await other.readMany?.([over, key, keyOf("never"), key]);
      if (!found) return;
      const isThere = found.map((one) => one !== null);
      expectEqual(isThere, [false, true, false, true], "which of the keys readMany found");
      for (const at of [1, 3])
        expectStored(found[at], { document, expiresAt, revision }, toleranceMs, `readMany, at ${at}`);
      expectEqual(await other.readMany?.([]), [], "readMany of no keys");
    },
  },
];
