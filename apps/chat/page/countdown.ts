import { countOf } from "../shared/count-of.ts";
import { element } from "./element.ts";
import { session } from "./session.ts";

const text = element("left", HTMLElement);
const bar = element("left-bar", HTMLSpanElement);
const foldLeft = element("fold-left", HTMLSpanElement);
const warning = element("expiring", HTMLDivElement);
const alert = element("expiring-alert", HTMLParagraphElement);
const warningLeft = element("expiring-left", HTMLSpanElement);
const stay = element("stay", HTMLButtonElement);

/** With less than this left, the visitor is warned; of a shortened session, at a third. */
const warnMs = { full: 2 * 60_000, short: 20_000 };

/** The longest time that was left of a session of this kind: a full bar. */
const mostMs = { full: 0, short: 0 };

/** Shows the time left of the session, second by second. */
export function startCountdown(): void {
  stay.addEventListener("click", () => void session.stay());
  setInterval(show, 1_000);
  session.subscribe(show);
}

function show(): void {
  const { state, data } = session.getSnapshot();
  if (state !== "live" && state !== "lost") {
    foldLeft.textContent = "";
    showWarning(false);
    return;
  }
  const kind = data?.isShort ? "short" : "full";
  const { leftMs = mostMs[kind] } = session;
  mostMs[kind] = Math.max(mostMs[kind], leftMs);
  const left = inWords(leftMs);
  text.textContent = left;
  foldLeft.textContent = left;
  warningLeft.textContent = left;
  bar.style.setProperty("inline-size", `${(100 * leftMs) / mostMs[kind]}%`);
  showWarning(leftMs < warnMs[kind]);
}

function showWarning(isLow: boolean): void {
  if (warning.hidden === !isLow) return;
  const hadFocus = document.activeElement === stay;
  warning.hidden = !isLow;
  for (const one of [bar, foldLeft]) one.classList.toggle("low", isLow);
  alert.textContent = isLow ? "Your session ends soon." : "";
  if (hadFocus) element("text", HTMLTextAreaElement).focus();
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 120) return countOf(Math.floor(minutes / 60), "hour");
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}
