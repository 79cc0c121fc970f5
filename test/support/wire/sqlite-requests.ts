/**
 * Counts what a process does with its SQLite files, which have no wire: every transaction, and every statement outside
 * of one. Leaves out the feed's queries for changes of other processes.
 */
import { DatabaseSync, StatementSync } from "node:sqlite";
import type { WireCounter } from "./wire-counter.ts";

const ofFeed = /PRAGMA data_version|FROM changes/;

export interface CallCounter extends WireCounter {
  /** Counts a call of something else beside. */
  note(call: string): void;
}

/** Until `close`, for all files of this process. */
export function countSqlite(path: string): CallCounter {
  const requests: string[] = [];
  let inTransaction = false;
  const take = (text: string) => {
    const [name = ""] = /\w+/.exec(text) ?? [];
    if (name === "COMMIT" || name === "ROLLBACK") inTransaction = false;
    else if (!inTransaction && !ofFeed.test(text)) requests.push(name);
    if (name === "BEGIN") inTransaction = true;
  };
  const undo = [
    intercept(DatabaseSync.prototype, "exec", (_database, [text]) => take(String(text))),
    ...(["get", "all", "run"] as const).map((method) =>
      intercept(StatementSync.prototype, method, (statement) => take(statement.sourceSQL)),
    ),
  ];
  return {
    url: path,
    isIdle: true, // each is answered before anything else can run
    note: (call) => requests.push(call),
    async during(run) {
      const before = requests.length;
      await run();
      return requests.slice(before);
    },
    close() {
      for (const one of undo) one();
    },
  };
}

function intercept<T extends object>(
  prototype: T,
  method: keyof T & string,
  called: (on: T, args: readonly unknown[]) => void,
): () => void {
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== "function") throw new Error(`Expected node:sqlite to have ${method}.`);
  Reflect.set(prototype, method, function (this: T, ...args: unknown[]) {
    called(this, args);
    return Reflect.apply(original, this, args);
  });
  return () => Reflect.set(prototype, method, original);
}
