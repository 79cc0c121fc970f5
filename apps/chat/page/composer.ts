import { limits } from "../shared/events.ts";
import { element } from "./element.ts";
import type { ChatSocket } from "./open-socket.ts";
import { wordsForMessage } from "./words.ts";

const form = element("composer", HTMLFormElement);
const text = element("text", HTMLTextAreaElement);
const problem = element("composer-problem", HTMLParagraphElement);
const roomLeft = element("room-left", HTMLParagraphElement);

const answerMs = 5_000;

/** The input for messages. If the server refuses one, the text stays, with the reason below. */
export function startComposer(socket: ChatSocket): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(socket);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  text.addEventListener("input", () => {
    showRoomLeft();
    complain("");
  });
}

async function send(socket: ChatSocket): Promise<void> {
  const sent = text.value;
  // The server would answer the same, but it would not even read a message that is far too long, and close the
  // connection.
  if (sent.trim().length > limits.messageLength) return complain(wordsForMessage("tooLong", undefined));
  if (!socket.connected) return complain("There is no connection at the moment. Your message is still here.");
  try {
    const outcome = await socket.timeout(answerMs).emitWithAck("message", sent);
    if (!outcome.ok) return complain(wordsForMessage(outcome.problem, outcome.retryInMs));
  } catch {
    return complain("The server has not answered, so your message may not have been sent.");
  }
  complain("");
  if (text.value !== sent) return; // the visitor is already typing the next one
  text.value = "";
  showRoomLeft();
}

/** Clears first, so that screen readers announce the same words twice. */
function complain(words: string): void {
  problem.textContent = "";
  problem.textContent = words;
  text.toggleAttribute("aria-invalid", false);
  if (words) text.setAttribute("aria-invalid", "true");
}

function showRoomLeft(): void {
  const left = limits.messageLength - text.value.length;
  roomLeft.textContent = left < 100 ? `${left} of ${limits.messageLength} characters left` : "";
  roomLeft.classList.toggle("low", left < 0);
}
