import { limits } from "../shared/events.ts";
import { element } from "./element.ts";
import { closeFolds } from "./folds.ts";
import { socket } from "./open-socket.ts";
import { post } from "./post.ts";
import { session } from "./session.ts";
import { narrate } from "./story.ts";
import { formWords, unreachable } from "./words.ts";

const login = element("login", HTMLFormElement);
const loginName = element("login-name", HTMLInputElement);
const loginProblem = element("login-problem", HTMLParagraphElement);
const rename = element("rename", HTMLFormElement);
const details = element("rename-details", HTMLDetailsElement);
const newName = element("new-name", HTMLInputElement);
const renameProblem = element("rename-problem", HTMLParagraphElement);
const logout = element("logout", HTMLFormElement);

/** There is one form to log in, which stands where it is needed. Returns its field. */
export function putLogin(slot: "login-slot" | "over-slot", button: string): HTMLInputElement {
  const place = element(slot, HTMLDivElement);
  if (login.parentElement !== place) place.append(login);
  element("login-button", HTMLButtonElement).textContent = button;
  return loginName;
}

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

/** Log in, rename and log out without leaving the page. */
export function startLogin(): void {
  for (const input of [newName, loginName]) input.maxLength = limits.nameLength;
  onSubmit(login, loginName, loginProblem, async () => {
    await session.loggedIn();
    closeFolds();
    element("text", HTMLTextAreaElement).focus();
  });
  onSubmit(rename, newName, renameProblem, () => {
    newName.value = "";
    details.open = false;
    details.querySelector("summary")?.focus();
  });
  logout.addEventListener("submit", async (event) => {
    event.preventDefault();
    loginName.value = session.getSnapshot().data?.name ?? loginName.value;
    socket.disconnect(); // else this tab would show its own logout as one of another tab
    const answer = await post(logout);
    narrate(answer?.ok ? (answer.story ?? "") : unreachable);
    socket.connect();
    const stop = session.subscribe(() => {
      if (session.getSnapshot().state !== "guest") return;
      stop();
      loginName.focus();
    });
  });
}

function onSubmit(
  form: HTMLFormElement,
  input: HTMLInputElement,
  problem: HTMLElement,
  done: () => void | Promise<void>,
): void {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await post(form);
    if (!answer) return complain(input, problem, unreachable);
    if (!answer.ok) return complain(input, problem, formWords[answer.problem]);
    complain(input, problem, "");
    narrate(answer.story ?? "");
    await done();
  });
}

function complain(input: HTMLInputElement, problem: HTMLElement, words: string): void {
  problem.textContent = words;
  input.toggleAttribute("aria-invalid", false);
  if (!words) return;
  input.setAttribute("aria-invalid", "true");
  input.focus();
}
