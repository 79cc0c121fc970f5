import type { Clock } from "./clock.ts";

/**
 * Settles as `run` does, or rejects with `late()` after `ms`; a later outcome is ignored. `failed` gives the error to
 * reject with if `run` throws or rejects.
 */
export function withTimeout<T>(
  clock: Clock,
  ms: number,
  run: () => Promise<T> | T,
  late: () => Error,
  failed = (error: unknown) => error,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(late()));
    const fail = (error: unknown) => {
      cancel();
      try {
        reject(failed(error));
      } catch (thrown) {
        reject(thrown);
      }
    };
    try {
      Promise.resolve(run()).then((value) => {
        cancel();
        resolve(value);
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}

/** Resolves when `promise` does, after `ms` at the latest. */
export async function atMost(clock: Clock, ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  await Promise.race([late, promise]);
  cancel();
}
