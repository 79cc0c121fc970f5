import { element } from "./element.ts";
import { countOf } from "./words.ts";

/** With less than this left, the visitor is warned; a short session warns in its last quarter. */
const warnMs = 2 * 60_000;

/** Shows the time left of the session, second by second. */
export class Countdown {
  readonly #text = element("left", HTMLElement);
  readonly #bar = element("left-bar", HTMLSpanElement);
  readonly #warning = element("left-warning", HTMLParagraphElement);
  readonly #stay = element("stay", HTMLButtonElement);
  #endsAt = 0;
  /** The longest time that was ever left: a full bar. */
  #mostMs = 0;
  #timer: number | undefined;

  constructor(onStay: () => void) {
    this.#stay.addEventListener("click", onStay);
  }

  start(leftMs: number): void {
    this.#endsAt = Date.now() + leftMs;
    this.#mostMs = Math.max(this.#mostMs, leftMs);
    this.#timer ??= setInterval(() => this.#show(), 1_000);
    this.#show();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#mostMs = 0;
  }

  #show(): void {
    const leftMs = Math.max(this.#endsAt - Date.now(), 0);
    const isLow = leftMs < Math.min(warnMs, this.#mostMs / 4);
    this.#text.textContent = leftMs === 0 ? "Time is up …" : `${inWords(leftMs)} left`;
    this.#bar.style.setProperty("inline-size", `${(100 * leftMs) / this.#mostMs}%`);
    this.#bar.classList.toggle("low", isLow);
    // Set only once: every assignment is read aloud again.
    const warning = isLow ? "Your session ends soon." : "";
    if (this.#warning.textContent !== warning) this.#warning.textContent = warning;
    if (!isLow && document.activeElement === this.#stay) element("text", HTMLTextAreaElement).focus();
    this.#stay.hidden = !isLow;
  }
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  const pad = (n: number) => String(n).padStart(2, "0");
  if (minutes >= 120) return countOf(Math.floor(minutes / 60), "hour");
  return `${minutes}:${pad(seconds % 60)}`;
}
