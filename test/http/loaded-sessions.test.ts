import { describe, expect, test } from "vitest";
import { fieldsOf } from "../../src/data/fields.ts";
import { Snapshot } from "../../src/data/snapshot.ts";
import { type LoadedSession, LoadedSessions } from "../../src/http/loaded-sessions.ts";
import { Ends } from "../../src/live/ends.ts";
import { keyOf } from "../../src/testing/store/keys.ts";
import { ManualClock } from "../support/manual-clock.ts";

const cookie = { originalMaxAge: 60_000, expires: "2030-01-01T00:00:00.000Z", path: "/" };
const version = (data: object, revision = 1) => new Snapshot({ fields: fieldsOf(data), cookie }, 1, revision);

/** A session object as `express-session` makes it of what the store gave. */
function load(data: object): {
  records: LoadedSessions;
  loaded: LoadedSession;
  session: Record<string, unknown>;
} {
  let marks = 0;
  const mark = () => ++marks;
  const clock = new ManualClock();
  const records = new LoadedSessions({ mark, ends: new Ends(clock, mark), clock }, keyOf);
  const document = { ...data, cookie };
  const session: Record<string, unknown> = { ...data, cookie: { ...cookie } };
  records.loaded(keyOf("a"), { document, expiresAt: 1, revision: 1 }, 0);
  records.inflated(session, document);
  return { records, loaded: records.of("a", session), session };
}

const patchOf = (loaded: LoadedSession) =>
  Object.fromEntries(loaded.edit()?.patch ?? [["nothing", "to compare with"]]);

describe("what a save takes along", () => {
  test("is what was changed when it was asked for: an update meanwhile is neither undone nor saved again", () => {
    const { loaded, session } = load({ n: 1, name: "ada" });
    session.name = "lovelace";
    const edit = loaded.edit();
    if (!edit) throw new Error("no edit");
    loaded.begun(edit);
    loaded.refresh(version({ n: 2, name: "ada" }, 2), undefined);
    expect(session.n).toBe(2);
    expect(Object.fromEntries(edit.patch)).toEqual({ name: '"lovelace"' });
    expect(patchOf(loaded)).toEqual({});
  });

  test("is still to be saved if that failed, cookie included", () => {
    const { loaded, session } = load({ n: 1 });
    session.n = 2;
    session.cookie = { ...cookie, originalMaxAge: 10_000 };
    const edit = loaded.edit();
    if (!edit) throw new Error("no edit");
    loaded.begun(edit);
    expect(patchOf(loaded)).toEqual({});
    loaded.settled(edit, undefined);
    expect(patchOf(loaded)).toEqual({ n: "2" });
    expect(loaded.edit()?.cookieChanged).toBe(true);
  });

  test("is not taken from the session by an update before it is stored", () => {
    const { loaded, session } = load({ n: 1 });
    session.m = 1;
    const edit = loaded.edit();
    if (!edit) throw new Error("no edit");
    loaded.begun(edit);
    loaded.refresh(version({ n: 2 }, 2), undefined);
    expect(session).toMatchObject({ n: 2, m: 1 });
    loaded.settled(edit, version({ n: 2, m: 1 }, 3));
    expect(patchOf(loaded)).toEqual({});
  });

  test("of two that overlap is what was stored: a failed one is saved with the next", () => {
    const { loaded, session } = load({ n: 1 });
    const edits = [2, 3].map((n) => {
      session.n = n;
      session[`k${n}`] = n;
      const edit = loaded.edit();
      if (!edit) throw new Error("no edit");
      loaded.begun(edit);
      return edit;
    });
    const [first, second] = edits;
    if (!first || !second) throw new Error("no edits");
    expect(Object.fromEntries(second.patch)).toEqual({ n: "3", k3: "3" });
    loaded.settled(first, undefined);
    loaded.settled(second, version({ n: 3, k3: 3 }, 2));
    expect(patchOf(loaded)).toEqual({ k2: "2" });
  });

  test("is compared with what the change started from, whatever was refreshed since: so conflicts are told", () => {
    const { loaded, session } = load({ n: 1, m: 1 });
    session.n = 5;
    loaded.refresh(version({ n: 2, m: 2 }, 2), undefined);
    const edit = loaded.edit();
    expect(session).toMatchObject({ n: 5, m: 2 });
    expect(edit?.base.fields.get("n")).toBe("1");
    expect(patchOf(loaded)).toEqual({ n: "5" });
  });

  test("of an object for another id, or of a copy without its mark, is nothing to compare with", () => {
    const { records, session } = load({ n: 1 });
    expect(records.of("b", session).edit()).toBeUndefined();
    expect(records.of("a", JSON.parse(JSON.stringify(session))).edit()).toBeUndefined();
  });
});
