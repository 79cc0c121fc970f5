/** Assertions whose messages say what the store was expected to do, and what it did. */
import assert from "node:assert/strict";
import { inspect, types } from "node:util";
import type { Revision, StoredSession } from "../../session-store.ts";

export function shown(value: unknown): string {
  return inspect(value, { depth: 5, maxStringLength: 60, breakLength: 120 });
}

/** Deep and strict. `what` names what is compared. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  assert.deepEqual(actual, expected, `${what}: expected ${shown(expected)}, got ${shown(actual)}.`);
}

/** The same texts, in any order, each once. */
export function expectSameTexts(actual: readonly string[], expected: readonly string[], what: string): void {
  const missing = expected.filter((text) => !actual.includes(text));
  const unexpected = actual.filter((text) => !expected.includes(text));
  expectEqual({ missing, unexpected }, { missing: [], unexpected: [] }, what);
  expectEqual(actual.length, expected.length, `${what}, how many`);
}

export function expectTrue(holds: boolean, what: string): void {
  assert.ok(holds, what);
}

/** Returns the revision of a write that has to succeed. */
export function expectWritten(revision: Revision | null, what: string): Revision {
  if (revision === null) assert.fail(`${what}: expected a revision, got null, as if nothing was written.`);
  return revision;
}

/** Returns the session, which has to be stored. */
export function expectFound(found: StoredSession | null | undefined, what: string): StoredSession {
  if (!found) assert.fail(`${what}: expected a session, got ${shown(found)}.`);
  return found;
}

export function expectNear(actual: number | undefined, expected: number, toleranceMs: number, what: string) {
  const isNear = actual !== undefined && Math.abs(actual - expected) <= toleranceMs;
  assert.ok(isNear, `${what}: expected ${expected} within ${toleranceMs} ms, got ${shown(actual)}.`);
}

export function expectStored(
  found: StoredSession | null | undefined,
  { expiresAt, ...expected }: StoredSession,
  toleranceMs: number,
  what: string,
): void {
  const { expiresAt: actual, document, revision } = expectFound(found, what);
  expectEqual({ document, revision }, expected, what);
  expectNear(actual, expiresAt, toleranceMs, `${what}, its expiresAt`);
}

/** Returns the error that the operation rejects with; fails if it resolves. */
export async function expectRejection(run: () => Promise<unknown> | undefined, what: string): Promise<Error> {
  try {
    const value = await run();
    assert.fail(`${what}: expected a rejection, but it resolved to ${shown(value)}.`);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    // Jest has an Error of its own.
    assert.ok(
      types.isNativeError(error) || error instanceof Error,
      `${what}: expected an Error, got ${shown(error)}.`,
    );
    return error;
  }
}

const patienceMs = 10_000;
const intervalMs = 5;

/** Waits until `holds`, for at most ten seconds. `what` says what was expected. */
export async function eventually(holds: () => boolean, what: () => string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!holds()) {
    if (performance.now() > deadline) assert.fail(`${what()} Nothing of it came within ${patienceMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
