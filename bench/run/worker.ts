/**
 * A fresh process that answers questions, so that nothing that was measured before has warmed it up or worn it out.
 *
 * ```ts
 * // in the process
 * const answers = { double: async (n: number) => 2 * n };
 * export type Answers = typeof answers;
 * answerTo(answers);
 *
 * // here
 * const worker = startWorker<Answers>(new URL("double-process.ts", import.meta.url), {});
 * await worker.ask("double", 21); // 42
 * await worker.end();
 * ```
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { execArgv } from "../../test/support/node-process.ts";

type AnswersByName = Record<string, (argument: never) => Promise<unknown>>;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

export interface Worker<Answers extends AnswersByName> {
  ask<Name extends keyof Answers & string>(
    name: Name,
    ...argument: Parameters<Answers[Name]>
  ): ReturnType<Answers[Name]>;
  end(): Promise<void>;
}

/** The same in this process. */
export function workerHere<Answers extends AnswersByName>(
  answers: Answers,
  end: () => Promise<void>,
): Worker<Answers> {
  return {
    ask(name, ...argument) {
      const answer: unknown = answers[name];
      if (typeof answer !== "function") throw new Error(`There is no answer to ${name}.`);
      return Reflect.apply(answer, answers, argument);
    },
    end,
  };
}

/** `argument` goes to the process as JSON, see `argumentOf`. It ends with this process at the latest. */
export function startWorker<Answers extends AnswersByName>(script: URL, argument: object): Worker<Answers> {
  const child = fork(fileURLToPath(script), [JSON.stringify(argument)], {
    execArgv: [...execArgv, "--expose-gc", "--disable-warning=SOCKET_SESSION_LIMITED_STORE"],
  });
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  const gone = once(child, "exit").then(([code, signal]) => {
    const error = new Error(`${script} has ended with ${code ?? signal}.`);
    for (const { reject } of pending.values()) reject(error);
  });
  child.on("message", (answer: Answer) => {
    const question = pending.get(answer.id);
    pending.delete(answer.id);
    if ("error" in answer) question?.reject(new Error(answer.error));
    else question?.resolve(answer.value);
  });
  return {
    ask(name, ...[given]) {
      const question: Question = { id: asked++, name, argument: given };
      const answer = Promise.withResolvers<unknown>();
      pending.set(question.id, answer);
      child.send(question, (error) => error && answer.reject(error));
      return answer.promise as ReturnType<Answers[typeof name]>; // as the process declares it
    },
    async end() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

export function argumentOf<Argument>(): Argument {
  return JSON.parse(process.argv[2] ?? "");
}

/** Answers the process that started this one, and ends with it. */
export function answerTo(answers: AnswersByName): void {
  process.on("message", ({ id, name, argument }: Question) => {
    const tell = (answer: Answer) => process.send?.(answer);
    const answer = answers[name] as ((argument: unknown) => Promise<unknown>) | undefined;
    if (!answer) return tell({ id, error: `There is no answer to ${name}.` });
    answer(argument).then(
      (value) => tell({ id, value }),
      (error: unknown) => tell({ id, error: error instanceof Error ? `${error.stack}` : String(error) }),
    );
  });
  process.once("disconnect", () => process.exit());
}
