/** Rows that something else has written, and that are no sessions. */
import createDebug from "debug";
import { expect, it, onTestFinished, vi } from "vitest";
import { keyOf } from "../session-keys.ts";
import { describeWithPostgres, testStore, testTable } from "./tables.ts";

const later = () => Date.now() + 3_600_000;

describeWithPostgres("a session in PostgreSQL that can't be read", () => {
  it("is listed without what it holds, left out of all, and keeps no other from either", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    for (const sid of ["1", "a secret id", "3"]) {
      await store.create(keyOf(sid), { cookie: {}, of: sid }, later(), "ada");
    }
    await pool.query(`UPDATE ${tableName} SET sess = '{"of":"nobody"}' WHERE sid = 'a secret id'`);
    const told = debugOutput();
    const listed = (await store.listByUser?.("ada")) ?? [];
    expect(new Map(listed.map(({ sid, stored }) => [sid, stored?.document.of]))).toEqual(
      new Map([
        ["1", "1"],
        ["a secret id", undefined],
        ["3", "3"],
      ]),
    );
    expect(listed.find(({ sid }) => sid === "a secret id")?.stored).toBeNull();
    expect(told.mock.calls).toHaveLength(1);
    expect(Object.keys((await store.all?.()) ?? {}).sort()).toEqual(["1", "3"]);
    expect(told.mock.calls).toHaveLength(2);
    expect(String(told.mock.calls)).toMatch(/can't be read.*an object with `cookie`/s);
    expect(String(told.mock.calls)).not.toContain("a secret id");
    await expect(store.read(keyOf("a secret id"))).rejects.toThrow("an object with `cookie`");
    await expect(store.readMany?.([keyOf("1"), keyOf("a secret id")])).rejects.toThrow("`cookie`");
    expect(await store.destroy(keyOf("a secret id"), "revoked")).toBe(true);
  });
});

function debugOutput() {
  const wasEnabled = createDebug.disable();
  createDebug.enable("socket-session:store");
  const told = vi.spyOn(createDebug, "log").mockImplementation(() => {});
  onTestFinished(() => {
    told.mockRestore();
    createDebug.enable(wasEnabled);
  });
  return told;
}
