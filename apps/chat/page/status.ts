import { element } from "./element.ts";
import type { SessionSnapshot } from "./session.ts";

const status = element("status", HTMLParagraphElement);
const text = element("status-text", HTMLSpanElement);
const nodes = element("nodes", HTMLParagraphElement);

/** Whether the page is connected, and as whom. */
export function showStatus(snapshot: SessionSnapshot): void {
  status.dataset.state = snapshot.state;
  const words = wordsFor(snapshot);
  if (text.textContent !== words) text.textContent = words; // every assignment is read aloud again
  if (snapshot.state !== "live" && snapshot.state !== "guest") nodes.hidden = true;
}

function wordsFor({ state, data, help }: SessionSnapshot): string {
  switch (state) {
    case "connecting":
      return "Connecting…";
    case "lost":
      return "Reconnecting…";
    case "live":
      return `Connected as ${data?.name}`;
    case "guest":
      return "Connected as a guest";
    case "refused":
      return help === "retry" ? "Refused, trying again…" : "Not connected";
    case "ended":
      return "Not connected";
  }
}
