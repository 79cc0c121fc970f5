/**
 * Splits many items into batches, which bounds a script's arguments and the number of concurrent operations.
 *
 * ```ts
 * for (const batch of batches(sids, 500)) await Promise.all(batch.map(read));
 * ```
 */

export function* batches<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
