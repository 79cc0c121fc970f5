/** What the debug log says of rows that are no sessions. */
import createDebug from "debug";
import { expect, it, onTestFinished, vi } from "vitest";
import { keyOf } from "../session-keys.ts";
import { describeWithPostgres, testStore, testTable } from "./tables.ts";

const key = keyOf("a secret id");

describeWithPostgres("a session in PostgreSQL that can't be read", () => {
  it("is left out of a list with one debug line, which says why without its id", async () => {
    const { tableName, pool } = testTable();
    const store = testStore({ pool, tableName });
    await store.create(key, { cookie: {} }, Date.now() + 3_600_000, "ada");
    await pool.query(`UPDATE ${tableName} SET sess = '{"of":"nobody"}'`);
    const told = debugOutput();
    await store.listByUser?.("ada");
    expect(told.mock.calls).toHaveLength(1);
    await store.all?.();
    expect(told.mock.calls).toHaveLength(2);
    expect(String(told.mock.calls)).toMatch(/can't be read.*an object with `cookie`/s);
    expect(String(told.mock.calls)).not.toContain(key.sid);
    await expect(store.read(key)).rejects.toThrow("an object with `cookie`");
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
