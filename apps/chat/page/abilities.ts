import { countOf } from "../shared/count-of.ts";
import { admins } from "../shared/events.ts";
import { element, meta } from "./element.ts";
import { socket } from "./open-socket.ts";
import type { SessionSnapshot } from "./session.ts";
import { session } from "./session.ts";

const trials = element("trials", HTMLUListElement);
const hint = element("try-hint", HTMLParagraphElement);
const figures = element("figures", HTMLParagraphElement);
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

element("stop-trial", HTMLLIElement).hidden = meta("cluster") === "";
element("try-more", HTMLParagraphElement).hidden = meta("cluster") !== "" || meta("sockets") !== "";

/** What the visitor can try at the moment. */
export function showAbilities({ state, data }: SessionSnapshot): void {
  const isLive = state === "live";
  for (const button of trials.querySelectorAll("button")) button.disabled = !isLive;
  hint.textContent = hintFor(state);
  offer(
    "short",
    data?.isShort === true,
    "Shorten my session to a minute",
    "Give my session its full time again",
  );
  element("short-ms", HTMLSpanElement).textContent = data?.isShort ? "30 * 60_000" : "60_000";
  offer("admin", data?.isAdmin === true, "Make me an admin", "Take away my admin right");
  if (!isLive) figures.hidden = true;
}

function hintFor(state: SessionSnapshot["state"]): string {
  if (state === "live") return "These act on your own session.";
  if (state === "lost" || state === "connecting") return "Waiting for the connection.";
  return "Log in first: these act on your own session.";
}

function offer(what: "short" | "admin", isOn: boolean, onWords: string, offWords: string): void {
  element(`${what}-label`, HTMLSpanElement).textContent = isOn ? offWords : onWords;
  element(`${what}-on`, HTMLInputElement).value = isOn ? "0" : "1";
}

socket.on("figures", ({ sessions, connections }) => {
  figures.hidden = false;
  figures.classList.remove("out");
  const now = `${countOf(sessions, "session")}, ${countOf(connections, "connection")}`;
  figures.textContent = `In the room "${admins.room}", ${timeFormat.format(Date.now())}: ${now}.`;
});
session.on("forbidden", ({ code, room }) => {
  if (room !== admins.room) return;
  figures.hidden = false;
  figures.classList.add("out");
  figures.textContent = `Out of the room "${room}" (${code}). The connection stays open.`;
});
