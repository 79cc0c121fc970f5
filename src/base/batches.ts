/**
 * Many of something, in turns: neither a script's arguments nor what is under way at once grow without a bound.
 *
 * ```ts
 * for (const batch of batches(sids, 500)) await Promise.all(batch.map(read));
 * ```
 */

export function* batches<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
