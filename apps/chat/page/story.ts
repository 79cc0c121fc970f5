import { element } from "./element.ts";
import { onNode } from "./nodes.ts";
import { socket } from "./open-socket.ts";
import { type SessionSnapshot, session } from "./session.ts";

const list = element("story", HTMLOListElement);
const empty = element("story-empty", HTMLParagraphElement);
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const most = 50;

/** Adds to what happened, the latest first. */
export function narrate(words: string): void {
  if (words === "") return;
  const time = document.createElement("time");
  time.textContent = timeFormat.format(Date.now());
  const text = document.createElement("span");
  text.textContent = words;
  const entry = document.createElement("li");
  entry.append(time, " ", text);
  list.prepend(entry);
  list.children[most]?.remove();
  empty.hidden = true;
}

/** Adds what this page itself notices of its session and connection. */
export function narrateStates(): void {
  let last = session.getSnapshot();
  let lostAt = 0;
  session.subscribe(() => {
    const snapshot = session.getSnapshot();
    const previous = last.state;
    last = snapshot;
    if (snapshot.state === previous) return;
    if (snapshot.state === "lost") lostAt = performance.now();
    if (previous === "lost" && snapshot.state === "live") {
      const seconds = ((performance.now() - lostAt) / 1_000).toFixed(1);
      // the node says its name before the latest messages
      socket.once("history", () =>
        narrate(`Connected again after ${seconds} s, in the same session${onNode()}.`),
      );
    }
    narrate(wordsFor(snapshot));
  });
}

function wordsFor(snapshot: SessionSnapshot): string {
  switch (snapshot.state) {
    case "ended":
      return `The server closed this tab's socket: "${snapshot.reason}".`;
    case "refused":
      return `The server refused this tab: ${snapshot.code}.`;
    case "lost":
      return "This tab lost its connection, but not its session.";
    default:
      return "";
  }
}
