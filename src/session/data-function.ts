/** Functions of the application over a session's data that have to answer at once. */
import { types } from "node:util";
import type { LiveSession } from "../api.ts";
import { invalid } from "../base/arguments.ts";
import type { SocketSessionError } from "../base/errors.ts";
import { isThenable } from "../base/isolated-emitter.ts";

type Data = LiveSession["data"];

interface Asked {
  readonly fn: unknown;
  /** What has to be a function, for the error. */
  readonly expected: string;
  /** How to write it. */
  readonly cure: string;
  /** Why it can't be async, and what to do instead. */
  readonly cureOfAsync: string;
  /** Receives what the promises of such a function reject with. */
  readonly report: (error: unknown) => void;
}

/** Thrown for a promise, which would be taken for an answer and is one only later: apart from what the function throws. */
export class AsyncAnswer {
  readonly refused: SocketSessionError;
  constructor(refused: SocketSessionError) {
    this.refused = refused;
  }
}

/**
 * Throws `INVALID_OPTION` if it is no function, or an async one. The result throws `AsyncAnswer` if the function returns a
 * promise, and what the function throws.
 */
export function dataFunction({ fn, expected, cure, cureOfAsync, report }: Asked): (data: Data) => unknown {
  const asyncError = (came: unknown) => invalid(`${expected}, and no promise`, came, cureOfAsync);
  if (types.isAsyncFunction(fn)) throw asyncError(fn);
  if (typeof fn !== "function") throw invalid(expected, fn, cure);
  return (data) => {
    const answer: unknown = Reflect.apply(fn, undefined, [data]);
    if (!isThenable(answer)) return answer;
    Promise.resolve(answer).then(undefined, report);
    throw new AsyncAnswer(asyncError(answer));
  };
}
