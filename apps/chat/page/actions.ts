import { element } from "./element.ts";
import { socket, socketsOrigin } from "./open-socket.ts";
import { post } from "./post.ts";
import { narrate } from "./story.ts";
import { formWords, unreachable } from "./words.ts";

/** Posts what the buttons do to sessions, devices and nodes, and adds the answers to what happened. */
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
