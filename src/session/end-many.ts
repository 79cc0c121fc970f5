import { batches, nextTurn } from "../base/batches.ts";

/** How many sessions are ended at the same time. */
const maxAtOnce = 50;

/**
 * Ends each session, and resolves to how many were ended. Rejects with the first failure, after it has tried all others.
 */
export async function endMany<Session>(
  sessions: readonly Session[],
  end: (session: Session) => Promise<boolean>,
): Promise<number> {
  let ended = 0;
  const failures: unknown[] = [];
  for (const some of batches(sessions, maxAtOnce)) {
    await nextTurn(); // a store in this process answers at once, and the ends of all batches would block the event loop
    for (const outcome of await Promise.allSettled(some.map(end))) {
      if (outcome.status === "rejected") failures.push(outcome.reason);
      else if (outcome.value) ended++;
    }
  }
  if (failures.length > 0) throw failures[0];
  return ended;
}
