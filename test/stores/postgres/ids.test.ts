/** Long ids: found as connect-pg-simple writes them, and listed unchanged, or refused. */
import { randomBytes } from "node:crypto";
import connectPgSimple from "connect-pg-simple";
import session from "express-session";
import { expect, it, onTestFinished } from "vitest";
import { keyOf } from "../session-keys.ts";
import { describeWithPostgres, testStore, testTable } from "./tables.ts";

const PgStore = connectPgSimple(session);
const later = () => Date.now() + 3_600_000;

/** Nothing that the database could compress. */
const random = (length: number) => randomBytes(length).toString("base64").slice(0, length);

describeWithPostgres("a long id in PostgreSQL", () => {
  it("is listed unchanged, and ends its session, whatever the name of its user", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    const users = ["ada", random(80), random(81), random(1000), "\ud800".repeat(20), random(5000)];
    for (const user of users) {
      const keys = [random(1200), random(2600), "é".repeat(1300), "\ud800".repeat(600)].map(keyOf);
      for (const key of keys) expect(await store.create(key, { cookie: {} }, later(), user)).not.toBeNull();
      const listed = (await store.listByUser?.(user)) ?? [];
      expect(new Set(listed.map(({ sid }) => sid))).toEqual(new Set(keys.map(({ sid }) => sid)));
      expect(Object.keys((await store.all?.()) ?? {})).toHaveLength(keys.length);
      for (const { sid } of listed) expect(await store.destroy(keyOf(sid), "revoked")).toBe(true);
      expect(await store.count?.()).toBe(0);
    }
  });

  it("is found as connect-pg-simple has written it", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    await store.read(keyOf("none")); // makes the table
    const peer = new PgStore({ pool, tableName, pruneSessionInterval: false });
    onTestFinished(() => peer.close());
    for (const sid of [random(1200), random(2600), random(2692), "x".repeat(10_000)]) {
      const data = { cookie: { originalMaxAge: 60_000, expires: new Date(later()) } };
      await new Promise<void>((resolve, reject) =>
        peer.set(sid, data as session.SessionData, (error) => (error ? reject(error) : resolve())),
      );
      const key = keyOf(sid);
      const { revision = "" } = (await store.read(key)) ?? {};
      expect(await store.replace(key, revision, { cookie: {}, n: 1 }, later())).not.toBeNull();
      expect(await store.touch(key, later(), {})).toBe(true);
      expect(await store.readMany?.([key])).toMatchObject([{ document: { n: 1 } }]);
      expect(Object.keys((await store.all?.()) ?? {})).toEqual([sid]);
      expect(await store.destroy(key, "revoked")).toBe(true);
    }
  });

  it("is refused, with an error, if it can't be listed", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    await store.create(keyOf("hers"), { cookie: {} }, later(), "ada");
    const key = keyOf(random(2601));
    const refused = { code: "STORE_FAILED", message: expect.stringMatching(/2600 bytes.*2601.*genid/) };
    const error: unknown = await store.create(key, { cookie: {} }, later()).catch((thrown) => thrown);
    expect(error).toMatchObject(refused);
    expect(String(error)).not.toContain(key.sid.slice(0, 20));
    await expect(store.touch(key, later(), {}, "ada")).rejects.toMatchObject(refused);
    await expect(store.replace(key, "none", { cookie: {} }, later(), "ada")).rejects.toMatchObject(refused);
    expect(await store.touch(key, later(), {})).toBe(false);
    expect(await store.listByUser?.("ada")).toHaveLength(1);
    const unlisted = testStore({ pool, tableName, userIndex: false });
    expect(await unlisted.touch(key, later(), {}, "ada")).toBe(false);
  });
});
