/**
 * The guarantees of `SessionStore` as cases for any test runner, to run against your own store. They assert with
 * `node:assert`.
 *
 * ```ts
 * import { test } from "node:test";
 * import { storeCases } from "socket-session/testing/store";
 *
 * for (const { name, timeoutMs, run } of storeCases(traits, start)) test(name, { timeout: timeoutMs }, run);
 * ```
 */
import { closingChecks } from "./store/closing.ts";
import { documentChecks } from "./store/documents.ts";
import { feedChecks } from "./store/feed.ts";
import { idChecks } from "./store/ids.ts";
import { lifeTimeChecks } from "./store/life-times.ts";
import { noteChecks } from "./store/notes.ts";
import {
  type Check,
  type ResolvedTraits,
  resolveTraits,
  Setting,
  type StoreHarness,
  type StoreTraits,
} from "./store/setting.ts";
import { stallChecks } from "./store/stalling.ts";
import { ticketChecks } from "./store/tickets.ts";
import { unreadableChecks } from "./store/unreadable.ts";
import { userChecks } from "./store/users.ts";
import { writeChecks } from "./store/writes.ts";

export type { StoreHarness, StoreTraits };

/** One guarantee, tested on a database of its own. */
export interface StoreCase {
  readonly name: string;
  /** Leaves room for slow databases. */
  readonly timeoutMs: number;
  /** Opens a harness, asserts, and ends the harness. Rejects with an `AssertionError` if the store breaks the guarantee. */
  readonly run: () => Promise<void>;
}

const timeoutMs = 60_000;

/** `start` makes a harness with a new, empty database; each case calls it once. */
export function storeCases(traits: StoreTraits, start: () => Promise<StoreHarness>): readonly StoreCase[] {
  const resolved = resolveTraits(traits);
  return checksOf(resolved).map((check) => ({
    name: check.name,
    timeoutMs: check.timeoutMs ?? timeoutMs,
    run: () => runCheck(check, resolved, start),
  }));
}

function checksOf(traits: ResolvedTraits): readonly Check[] {
  return [
    ...writeChecks(traits),
    ...lifeTimeChecks(traits),
    ...documentChecks(traits),
    ...idChecks(traits),
    ...(traits.feed ? feedChecks : []),
    ...(traits.notes ? noteChecks : []),
    ...closingChecks(traits),
    ...(traits.stalls ? stallChecks(traits) : []),
    ...(traits.damage ? unreadableChecks(traits) : []),
    ...(traits.users ? userChecks(traits) : []),
    ...(traits.tickets ? ticketChecks(traits) : []),
  ];
}

/** If both the check and `end` fail, the check's failure is the one reported. */
async function runCheck(check: Check, traits: ResolvedTraits, start: () => Promise<StoreHarness>) {
  const harness = await start();
  const run = async () => check.run(new Setting(harness, traits));
  const [outcome] = await Promise.allSettled([run()]);
  const [end] = await Promise.allSettled([harness.end()]);
  for (const settled of [outcome, end]) if (settled.status === "rejected") throw settled.reason;
}
