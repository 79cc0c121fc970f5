/** Other processes on the same store: scripts of `fixtures/`, and what is said to and fro. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { execArgv } from "../support/node-process.ts";

/** Of a script, by its name within this folder. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`${name}.ts`, import.meta.url));
}

/** Starts a fixture; it is killed after the test if it still runs. */
export function start(name: string, args: string[]): ChildProcess {
  const child = fork(fixturePath(name), args, { execArgv });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** The next message of a child process; rejects if it ends instead. */
export async function message(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const exit = once(child, "exit", { signal: ended.signal }).then(
    ([code]) => Promise.reject(new Error(`Expected a message, but the process ended with ${code}.`)),
    () => new Promise<never>(() => {}),
  );
  try {
    const [received] = await Promise.race([once(child, "message"), exit]);
    return received;
  } finally {
    ended.abort();
  }
}

export async function call(child: ChildProcess, method: string, ...args: unknown[]): Promise<unknown> {
  const answer = message(child);
  child.send({ method, args });
  return answer;
}
