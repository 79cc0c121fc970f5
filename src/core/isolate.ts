/** Runs code of the application; what it throws, or rejects with, goes to `report` and nowhere else. */
export function isolate(run: () => unknown, report: (error: unknown) => void): void {
  try {
    const result = run();
    if (result instanceof Promise) result.catch(report);
  } catch (error) {
    report(error);
  }
}
