import { paintDisc } from "./disc.ts";
import { element } from "./element.ts";
import { putLogin } from "./login.ts";
import { current, onOwn } from "./own.ts";
import { hidePeople } from "./people.ts";
import type { SessionSnapshot } from "./session.ts";

const live = element("live", HTMLDivElement);
const disc = live.querySelector<HTMLElement>(".disc");
const ownName = element("own-name", HTMLElement);
const stranger = element("stranger", HTMLDivElement);
const strangerText = element("stranger-text", HTMLParagraphElement);
const fold = element("fold-you", HTMLButtonElement);
const foldName = element("fold-name", HTMLSpanElement);
const devices = [element("devices-card", HTMLElement), element("fold-devices", HTMLButtonElement)];

/** Whose session it is, and what its owner can do with it; the states in which the page waits change nothing. */
export function showCard({ state, help, data }: SessionSnapshot): void {
  if (state === "connecting" || state === "lost" || help === "retry") return;
  const isLive = state === "live";
  live.hidden = !isLive;
  stranger.hidden = isLive;
  for (const one of devices) one.hidden = !isLive;
  fold.classList.toggle("quiet", state !== "guest");
  foldName.textContent = isLive ? (data?.name ?? "") : state === "guest" ? "Log in" : "Session over";
  if (isLive && data) {
    ownName.textContent = data.name;
    paintOwn();
  }
  strangerText.textContent =
    state === "guest" ? "You are a guest: you can read and write." : "You are not logged in.";
  if (state === "guest") putLogin("login-slot", "Log in");
  if (state === "ended" || state === "refused") hidePeople();
}

function paintOwn(): void {
  if (disc) paintDisc(disc, current, ownName.textContent ?? "");
}
onOwn(paintOwn);
