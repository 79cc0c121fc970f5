import type { FormAnswer, FormProblem } from "../shared/events.ts";
import { formWords } from "./words.ts";

/** Posts a form without leaving the page. Undefined if the server could not be reached, or has failed. */
export async function post(form: HTMLFormElement): Promise<FormAnswer | undefined> {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { accept: "application/json" },
      body,
    });
    return read(await response.json());
  } catch {
    return undefined;
  }
}

function read(answer: unknown): FormAnswer | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  if ("problem" in answer && isProblem(answer.problem)) return { ok: false, problem: answer.problem };
  if (!("ok" in answer) || answer.ok !== true) return undefined;
  return "story" in answer && typeof answer.story === "string"
    ? { ok: true, story: answer.story }
    : { ok: true };
}

function isProblem(value: unknown): value is FormProblem {
  return typeof value === "string" && Object.hasOwn(formWords, value);
}
