/** Records bugs in the trace as crashes: uncaught errors, and errors reported by a node that are not failures of its store. */
import { codeOf } from "./operations.ts";
import type { SimulatedProcess } from "./world/process.ts";
import type { World } from "./world/world.ts";

const noBugs = new Set([
  "STORE_FAILED",
  "STORE_TIMEOUT",
  "STORE_FEED_BROKEN",
  "SESSION_ENDED",
  "SESSION_CONTENTION",
  "SESSION_UPDATE_TIMEOUT",
]);

/** An error that a node reports as its own fault. */
export function traceReport(world: World, { name }: SimulatedProcess, error: unknown): void {
  const code = codeOf(error);
  if (noBugs.has(code)) return;
  const text = error instanceof Error ? `${code}: ${error.message}` : code;
  world.trace.add({ kind: "crash", node: name, text });
}

/** Whatever nothing has caught, until the function that is returned is called. */
export function traceUncaught(world: World): () => void {
  const crash = (error: unknown) => {
    const node = world.current?.name ?? "none";
    world.trace.add({
      kind: "crash",
      node,
      text: error instanceof Error ? String(error.stack) : String(error),
    });
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  return () => {
    process.off("uncaughtException", crash);
    process.off("unhandledRejection", crash);
  };
}
