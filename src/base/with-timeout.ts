import type { Clock } from "./clock.ts";

/** What `run` resolves to, or `late()` as the error if that takes longer than `ms`; a late outcome is ignored. */
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
