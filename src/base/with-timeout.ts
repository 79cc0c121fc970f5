import type { Clock } from "./clock.ts";

/** Settles as `run` does, or rejects with `late()` after `ms`; a later outcome is ignored. */
export function withTimeout<T>(
  clock: Clock,
  ms: number,
  run: () => Promise<T> | T,
  late: () => Error,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(late()));
    new Promise<T>((settle) => settle(run())).then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}

/** Resolves when `promise` does, after `ms` at the latest. */
export async function atMost(clock: Clock, ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  await Promise.race([late, promise]);
  cancel();
}
