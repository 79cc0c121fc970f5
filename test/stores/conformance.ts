/**
 * The guarantees of the store port, as `socket-session/testing/store` publishes them, as tests:
 *
 * ```ts
 * describeStore("memory", traits, async () => harness);
 * ```
 */
import { describe, it } from "vitest";
import { type StoreHarness, type StoreTraits, storeCases } from "../../src/testing/store.ts";

export type { StoreHarness, StoreTraits };

export function describeStore(name: string, traits: StoreTraits, start: () => Promise<StoreHarness>): void {
  describe(name, () => {
    for (const { name, timeoutMs, run } of storeCases(traits, start)) it(name, { timeout: timeoutMs }, run);
  });
}
