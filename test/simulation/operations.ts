/** Records operations on sessions in the trace: their begin and their outcome. */
import { SocketSessionError } from "socket-session";
import type { Ledger } from "./ledger.ts";
import type { Operation, Values } from "./trace.ts";
import type { SimulatedProcess } from "./world/process.ts";
import type { World } from "./world/world.ts";

/** After these it is known that nothing was written. */
const definite = new Set([
  "SESSION_ENDED",
  "SESSION_CONTENTION",
  "SESSION_UPDATE_TIMEOUT",
  "SESSION_INVALID_DATA",
]);

export class Operations {
  readonly #world: World;
  readonly #ledger: Ledger;
  #last = 0;

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  /**
   * Runs an operation of a node on a session under a name of its own. `run` resolves to what it saw of the session, null if
   * there was none; what it rejects with is in the trace, and goes no further. `follows`: see the trace.
   */
  async run(
    what: Operation,
    { name: node }: SimulatedProcess,
    sid: string,
    run: (op: string) => Promise<Values | null>,
    key?: string,
    follows?: string,
  ): Promise<boolean> {
    const { trace } = this.#world;
    const op = `o${++this.#last}`;
    const about = {
      op,
      what,
      node,
      session: this.#ledger.nameOf(sid),
      ...(key === undefined ? {} : { key }),
    };
    trace.add({ kind: "begins", ...about, ...(follows === undefined ? {} : { follows }) });
    try {
      const saw = await run(op);
      trace.add({ kind: "done", ...about, saw });
      return true;
    } catch (error) {
      const code = codeOf(error);
      trace.add({ kind: "failed", ...about, code, isUnknown: !definite.has(code) });
      return false;
    }
  }
}

/** The error that a client received instead of an answer, or the end of its connection. */
export class Failure extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`It failed (${code}).`);
    this.code = code;
  }
}

/** The code of an error, or its name and message: a bug. */
export function codeOf(error: unknown): string {
  if (error instanceof SocketSessionError || error instanceof Failure) return error.code;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
