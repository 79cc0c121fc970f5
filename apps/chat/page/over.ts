import { element } from "./element.ts";
import { closeFolds } from "./folds.ts";
import { putLogin } from "./login.ts";
import { socket } from "./open-socket.ts";
import type { SessionSnapshot } from "./session.ts";
import { wordsForEnd, wordsForRefusal } from "./words.ts";

const composer = element("composer", HTMLFormElement);
const over = element("over", HTMLDivElement);
const title = element("over-title", HTMLElement);
const text = element("over-text", HTMLElement);
const goOn = element("go-on-as-guest", HTMLButtonElement);

/** Why the session is over, or the page was not let in, with the login in the place of the message field. */
export function showOver(snapshot: SessionSnapshot): void {
  const { state, help } = snapshot;
  if (state === "connecting" || state === "lost" || help === "retry") return;
  const isOver = state === "ended" || state === "refused";
  if (isOver && over.hidden) closeFolds();
  composer.hidden = isOver;
  over.hidden = !isOver;
  if (!isOver) return;
  const words = state === "ended" ? wordsForEnd(snapshot) : wordsForRefusal(snapshot.code);
  title.textContent = words.title;
  text.textContent = words.text;
  goOn.hidden = state === "refused"; // a refused cookie would be refused again
  const login = putLogin("over-slot", "Log in again");
  if (hasLostFocus()) login.focus();
}

/** Whether the focus is on something that has just gone away. */
function hasLostFocus(): boolean {
  const { activeElement } = document;
  return activeElement !== null && (activeElement.matches(":disabled") || !activeElement.checkVisibility());
}

goOn.addEventListener("click", () => {
  socket.connect();
  composer.hidden = false;
  element("text", HTMLTextAreaElement).focus();
});
