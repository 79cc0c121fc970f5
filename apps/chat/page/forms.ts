import { type FormAnswer, type FormProblem, limits } from "../shared/events.ts";
import { element } from "./element.ts";
import { formWords } from "./words.ts";

const rename = element("rename", HTMLFormElement);
const details = element("rename-details", HTMLDetailsElement);
const newName = element("new-name", HTMLInputElement);
const renameProblem = element("rename-problem", HTMLParagraphElement);
const loginName = element("login-name", HTMLInputElement);
const loginProblem = element("login-problem", HTMLParagraphElement);

/** The result of an ordinary form post, from the page's address. */
export function showReturnedProblem(): void {
  const query = new URLSearchParams(location.search);
  const words = Object.entries(formWords).find(([problem]) => problem === query.get("problem"))?.[1];
  if (!words) return;
  if (query.get("form") === "rename") {
    details.open = true;
    complain(newName, renameProblem, words);
  } else {
    complain(loginName, loginProblem, words);
  }
  history.replaceState(null, "", location.pathname); // so that a reload doesn't show the error again
}

/** Renames without leaving the page. If there is no connection for that, the form is submitted the ordinary way. */
export function startForms(): void {
  for (const input of [newName, loginName]) input.maxLength = limits.nameLength;
  rename.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await post(rename);
      if (!answer.ok) return complain(newName, renameProblem, formWords[answer.problem]);
    } catch {
      return complain(newName, renameProblem, "The server could not be reached. Please try again.");
    }
    complain(newName, renameProblem, "");
    newName.value = "";
    details.open = false;
    details.querySelector("summary")?.focus();
  });
}

async function post(form: HTMLFormElement): Promise<FormAnswer> {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
  const response = await fetch(form.action, {
    method: "POST",
    headers: { accept: "application/json" },
    body,
  });
  const answer: unknown = await response.json();
  const problem =
    typeof answer === "object" && answer !== null && "problem" in answer ? answer.problem : undefined;
  if (isProblem(problem)) return { ok: false, problem };
  if (response.ok) return { ok: true };
  throw new Error(`The server answered ${response.status}.`);
}

function isProblem(value: unknown): value is FormProblem {
  return typeof value === "string" && Object.hasOwn(formWords, value);
}

function complain(input: HTMLInputElement, problem: HTMLElement, words: string): void {
  problem.textContent = words;
  input.toggleAttribute("aria-invalid", false);
  if (!words) return;
  input.setAttribute("aria-invalid", "true");
  input.focus();
}
