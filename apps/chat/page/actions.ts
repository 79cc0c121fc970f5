import { element } from "./element.ts";
import { socket, socketsOrigin } from "./open-socket.ts";
import { post } from "./post.ts";
import { narrate } from "./story.ts";
import { formWords, unreachable } from "./words.ts";

/** Everything that a button does to sessions, devices and nodes; the answer is told as what happened. */
export function startActions(): void {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.classList.contains("action")) return;
    event.preventDefault();
    const answer = await post(form);
    if (!answer) narrate(unreachable);
    else narrate(answer.ok ? (answer.story ?? "") : formWords[answer.problem]);
  });
  element("ticket-trial", HTMLLIElement).hidden = socketsOrigin === "";
  element("again", HTMLButtonElement).addEventListener("click", () => {
    socket.disconnect().connect();
  });
}
