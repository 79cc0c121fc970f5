import type { SessionView } from "../shared/events.ts";
import type { Phase } from "./connection.ts";
import type { Countdown } from "./countdown.ts";
import { paintDisc } from "./disc.ts";
import { element } from "./element.ts";

const status = element("status", HTMLParagraphElement);
const statusText = element("status-text", HTMLSpanElement);
const live = element("live", HTMLDivElement);
const ownName = element("own-name", HTMLElement);
const stranger = element("stranger", HTMLDivElement);
const strangerText = element("stranger-text", HTMLParagraphElement);
const loginButton = element("login-button", HTMLButtonElement);
const loginName = element("login-name", HTMLInputElement);
const composer = element("composer", HTMLFormElement);
const over = element("over", HTMLDivElement);
const overTitle = element("over-title", HTMLElement);
const overText = element("over-text", HTMLElement);
const goOn = element("go-on-as-guest", HTMLButtonElement);

/** Shows the visitor's current session, and the actions for it. */
export function showPhase(phase: Phase, countdown: Countdown): void {
  say(phase.kind, statusOf(phase));
  const isOver = phase.kind === "refused" || phase.kind === "ended";
  const hadFocus = composer.contains(document.activeElement);
  composer.hidden = isOver;
  over.hidden = !isOver;
  if (isOver) {
    overTitle.textContent = phase.words.title;
    overText.textContent = phase.words.text;
    // a refused cookie would be refused again
    goOn.hidden = phase.kind === "refused";
    showStranger("Log in again to go on under your name.", "Log in again");
    countdown.stop();
    if (hadFocus) element("log-in-again", HTMLButtonElement).focus();
  }
  if (phase.kind === "open") showSession(phase.session, countdown);
}

function showSession(session: SessionView, countdown: Countdown): void {
  if (session.state === "guest") {
    countdown.stop();
    showStranger("You are a guest: you can read and write, under the name of guest.", "Log in");
    return;
  }
  stranger.hidden = true;
  live.hidden = false;
  ownName.textContent = session.name;
  loginName.value = session.name; // for the next login in this tab
  const disc = live.querySelector(".disc");
  if (disc instanceof HTMLElement) paintDisc(disc, session.publicId, session.name);
  countdown.start(session.leftMs);
}

function showStranger(text: string, button: string): void {
  live.hidden = true;
  stranger.hidden = false;
  strangerText.textContent = text;
  loginButton.textContent = button;
}

function statusOf(phase: Phase): string {
  switch (phase.kind) {
    case "connecting":
      return "Connecting…";
    case "lost":
      return "Connection lost. Trying again…";
    case "open":
      return phase.session.state === "live" ? `Connected as ${phase.session.name}` : "Connected as a guest";
    case "refused":
    case "ended":
      return "Not connected";
  }
}

/** Only if it changed: every assignment to the status is read aloud again. */
function say(phase: Phase["kind"], words: string): void {
  status.dataset.phase = phase;
  if (statusText.textContent !== words) statusText.textContent = words;
}
