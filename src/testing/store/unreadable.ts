/** A stored session that can't be read fails alone, and can be ended. */
import { isUnreadable } from "../../base/errors.ts";
import { expectEqual, expectRejection, expectTrue, expectWritten, shown } from "./expectations.ts";
import { keyOf } from "./keys.ts";
import type { Check, ResolvedTraits, Setting } from "./setting.ts";

const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

/** Damaged sessions. */
const texts = [
  { what: "text that is cut off", text: '{"cookie":{},"token":"s3cret', isJson: false },
  { what: "an object without a cookie", text: '{"token":"s3cret"}', isJson: true },
  { what: "a life time that is a text", text: '{"cookie":{"originalMaxAge":"s3cret"}}', isJson: true },
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

const [good, bad, last] = [keyOf("good"), keyOf("bad"), keyOf("last")];

export function unreadableChecks({ damage, users }: ResolvedTraits): readonly Check[] {
  return texts
    .filter(({ isJson }) => isJson || damage === "any text")
    .map(({ what, text }) => ({
      name: `fails alone where a session can't be read: ${what}`,
      run: (setting) => failsAlone(setting, text, users),
    }));
}

async function failsAlone(setting: Setting, text: string, users: boolean): Promise<void> {
  const { store, other, later, harness } = setting;
  for (const key of [good, bad, last]) await store.create(key, { cookie: {}, n: 1 }, later(), "ada");
  if (!harness.damage) throw new Error("Expected a harness with damage(), by the trait `damage`.");
  await harness.damage(bad.sid, text);
  expectUnreadable(await expectRejection(() => other.read(bad), "read of it"), "read");
  for (const key of [good, last]) expectEqual((await other.read(key))?.document.n, 1, `read of ${key.sid}`);
  const { readMany } = other;
  if (readMany) {
    const failure = await expectRejection(() => readMany.call(other, [good, bad, last]), "readMany with it");
    expectUnreadable(failure, "readMany");
  }
  const all = await other.all?.();
  if (all) expectEqual(Object.keys(all).sort(), [good.sid, last.sid], "the ids that all() lists");
  if (users) await expectListed(setting);
  expectEqual(await other.destroy(bad, "revoked"), true, "destroy of it");
  expectEqual(await store.read(bad), null, "read of it after that");
  expectWritten(await store.create(bad, { cookie: {}, n: 2 }, later()), "create of the same id");
  expectEqual((await other.read(bad))?.document.n, 2, "read of the new session");
}

async function expectListed({ other }: Setting): Promise<void> {
  const listed = (await other.listByUser?.("ada")) ?? [];
  const documents = new Map(
    listed.map(({ sid, stored }) => [sid, stored === null ? null : stored.document.n]),
  );
  const expected = new Map<string, unknown>([
    [good.sid, 1],
    [bad.sid, null],
    [last.sid, 1],
  ]);
  expectEqual(documents, expected, "listByUser, null for a session that can't be read");
}

function expectUnreadable(error: Error, what: string): void {
  expectTrue(isUnreadable(error), `Expected ${what} to reject with SESSION_UNREADABLE, got ${shown(error)}.`);
  const quoted = String(error).includes("s3cret");
  expectTrue(!quoted, `Expected the message of ${what} to quote nothing of the session: ${error.message}`);
}
