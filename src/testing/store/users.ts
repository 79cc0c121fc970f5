/** The index of each user's sessions. */
import type { UserSession } from "../../session-store.ts";
import { expectEqual, expectNear, expectStored, expectWritten, shown } from "./expectations.ts";
import { keyOf } from "./keys.ts";
import { type Check, HOUR, type ResolvedTraits, type Setting } from "./setting.ts";

const key = keyOf("a session");

const hostileUsers = [
  ...["", "ada", "ADA", "__proto__", "constructor"],
  ...["'; DROP TABLE sessions; --", '{"$ne":null}', "$where", "a.b", "*", "%", "{ada}", "ada:eve"],
  ...["\0", "\ud800", "\ud801", "\ufffd", "~utf16~00d8", "~sha256~"],
  ...["u".repeat(10_000), `${"u".repeat(10_000)}v`],
  ...["\ud800".repeat(249), "\ud800".repeat(1001), `${"\ud800".repeat(1001)}v`],
];

/** A store may keep `since` in seconds. */
const sinceToleranceMs = 1000;

/** The listed ids, the same at both connections. */
async function listed({ store, other }: Setting, user: string): Promise<string[]> {
  const [here = [], there = []] = await Promise.all([store.listByUser?.(user), other.listByUser?.(user)]);
  const sids = (list: readonly UserSession[]) => list.map(({ sid }) => sid).sort();
  expectEqual(sids(there), sids(here), `what two connections list of the user ${shown(user)}`);
  return sids(here);
}

export function userChecks({ manySessions }: ResolvedTraits): readonly Check[] {
  const listsMany: Check = {
    name: `lists ${manySessions} sessions of one user`,
    timeoutMs: 120_000,
    async run({ store, later }) {
      for (let done = 0; done < manySessions; done += 500) {
        const keys = Array.from({ length: Math.min(500, manySessions - done) }, (_, n) =>
          keyOf(`session ${done + n}`),
        );
        await Promise.all(keys.map((one) => store.create(one, { cookie: {} }, later(), "ada")));
      }
      const found = (await store.listByUser?.("ada")) ?? [];
      expectEqual(
        new Set(found.map(({ sid }) => sid)).size,
        manySessions,
        "how many different ids are listed",
      );
      expectEqual(found.length, manySessions, "how many sessions are listed");
    },
  };
  return [...entering, ...leaving, listsMany];
}

const entering: readonly Check[] = [
  {
    name: "lists what was created, with what is stored and since when",
    async run({ store, other, later, harness }) {
      const created = harness.now();
      const expiresAt = later(HOUR);
      const document = { cookie: {}, n: 1 };
      const revision = expectWritten(await store.create(key, document, expiresAt, "ada"), "create");
      await store.create(keyOf("eve's"), { cookie: {} }, later(), "eve");
      await store.create(keyOf("without a user"), { cookie: {} }, later());
      await harness.advance(5000);
      const found = (await other.listByUser?.("ada")) ?? [];
      expectEqual(
        found.map(({ sid }) => sid),
        [key.sid],
        "the ids that are listed",
      );
      expectStored(
        found[0]?.stored,
        { document, expiresAt, revision },
        1000,
        "what is listed of the session",
      );
      expectNear(found[0]?.since, created, sinceToleranceMs, "since");
    },
  },
  {
    name: "lists a session that became a user's by replace or touch, once, and since then",
    async run(setting) {
      const { store, later, harness } = setting;
      const touched = keyOf("touched");
      const first = expectWritten(await store.create(key, { cookie: {}, n: 1 }, later()), "create");
      await store.create(touched, { cookie: {} }, later());
      expectEqual(await listed(setting, "ada"), [], "what is listed before");
      await harness.advance(10_000);
      const since = harness.now();
      const replaced = await store.replace(key, first, { cookie: {}, n: 2 }, later(), "ada");
      const second = expectWritten(replaced, "replace");
      await store.touch(touched, later(), {}, "ada");
      await harness.advance(10_000);
      await store.replace(key, second, { cookie: {}, n: 3 }, later(), "ada");
      await store.touch(key, later(), {}, "ada");
      expectEqual(await listed(setting, "ada"), [key.sid, touched.sid].sort(), "what is listed");
      for (const one of (await store.listByUser?.("ada")) ?? [])
        expectNear(one.since, since, sinceToleranceMs, `since, of ${one.sid}`);
    },
  },
  {
    name: "lists a session that becomes a user's again by replace since then, where isNewUser says so",
    async run({ store, later, harness }) {
      let revision = expectWritten(await store.create(key, { cookie: {}, n: 0 }, later(), "ada"), "create");
      const write = async (n: number, user?: string, isNewUser?: boolean) => {
        await harness.advance(5000);
        const document = { cookie: {}, n };
        const replaced = await store.replace(key, revision, document, later(), user, `write ${n}`, isNewUser);
        revision = expectWritten(replaced, `replace ${n}`);
        return harness.now();
      };
      const since = async () => (await store.listByUser?.("ada"))?.find(({ sid }) => sid === key.sid)?.since;
      await write(1);
      const afterLogout = await write(2, "ada", true);
      expectNear(await since(), afterLogout, sinceToleranceMs, "since, after a time without a user");
      await write(3, "eve", true);
      const afterOther = await write(4, "ada", true);
      await write(5, "ada", false);
      await write(6);
      expectNear(await since(), afterOther, sinceToleranceMs, "since, after a time as another user's");
    },
  },
  {
    name: "lists a session under its user, also where a touch of before comes late",
    async run(setting) {
      const { store, later } = setting;
      const created = await store.create(key, { cookie: {}, userId: "ada" }, later(), "ada");
      const revision = expectWritten(created, "create");
      await store.replace(key, revision, { cookie: {}, userId: "bob" }, later(), "bob");
      await store.touch(key, later(), {}, "ada");
      expectEqual(await listed(setting, "bob"), [key.sid], "what is listed of the user that replace named");
    },
  },
  {
    name: "keeps users apart, whatever they are called",
    async run(setting) {
      const { store, later } = setting;
      for (const [n, user] of hostileUsers.entries())
        await store.create(keyOf(`session ${n}`), { cookie: {} }, later(), user);
      for (const [n, user] of hostileUsers.entries())
        expectEqual(await listed(setting, user), [`session ${n}`], `what is listed of ${shown(user)}`);
      expectEqual(await listed(setting, "a stranger"), [], "what is listed of a user without sessions");
    },
  },
];

const leaving: readonly Check[] = [
  {
    name: "lists none that is over, replaced by nothing, or was never stored",
    async run(setting) {
      const { store, other, later, harness } = setting;
      const never = keyOf("never");
      await store.create(key, { cookie: {} }, later(), "ada");
      await store.create(keyOf("short"), { cookie: {} }, later(1000), "ada");
      await store.create(keyOf("long"), { cookie: {} }, later(), "ada");
      await store.replace(never, "never", { cookie: {} }, later(), "ada");
      await store.touch(never, later(), {}, "ada");
      await other.destroy(key, "destroyed");
      await harness.advance(2000);
      expectEqual(await listed(setting, "ada"), ["long"], "what is listed");
      await store.clear?.();
      if (store.clear) expectEqual(await listed(setting, "ada"), [], "what is listed after clear()");
    },
  },
  {
    name: "goes on listing a session that is extended again and again",
    async run(setting) {
      const { store, later, harness } = setting;
      await store.create(key, { cookie: {} }, later(10_000), "ada");
      for (let round = 0; round < 5; round += 1) {
        await harness.advance(8000);
        expectEqual(await store.touch(key, later(10_000), {}, "ada"), true, "touch");
      }
      expectEqual(await listed(setting, "ada"), [key.sid], "what is listed");
    },
  },
];
