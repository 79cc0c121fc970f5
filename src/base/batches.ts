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

/** How many items are mapped before other work gets its turn: a session takes some 10 µs. */
const mappedPerTurn = 250;

/** As `items.map(map)`, in several turns of the event loop, so that thousands do not block it. */
export async function mapInTurns<Item, Mapped>(
  items: readonly Item[],
  map: (item: Item) => Mapped,
): Promise<Mapped[]> {
  const mapped: Mapped[] = [];
  for (const batch of batches(items, mappedPerTurn)) {
    if (mapped.length > 0) await nextTurn();
    for (const item of batch) mapped.push(map(item));
  }
  return mapped;
}

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
