import type { ChatMessage } from "../shared/events.ts";
import { disc } from "./disc.ts";
import { element } from "./element.ts";

const log = element("log", HTMLDivElement);
const empty = element("log-empty", HTMLParagraphElement);
const shown = new Set<string>();
const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
let lastWriter: string | undefined;

/** Does not scroll a visitor away who has scrolled up to read. */
let isAtEnd = true;
log.addEventListener("scroll", () => {
  isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
});
new ResizeObserver(() => {
  if (isAtEnd) scrollToEnd();
}).observe(log);

function scrollToEnd(): void {
  log.scrollTop = log.scrollHeight;
}

/** Adds the messages that are not shown yet. */
export function showMessages(messages: readonly ChatMessage[], own: string | undefined): void {
  const unknown = messages.filter(({ id }) => !shown.has(id));
  if (unknown.length === 0) return;
  if (shown.size === 0) fillQuietly();
  empty.hidden = true;
  for (const message of unknown) {
    shown.add(message.id);
    log.append(article(message, own));
  }
  if (isAtEnd) scrollToEnd();
}

/** Messages from before the visitor came can be read, but are not read aloud all at once. */
function fillQuietly(): void {
  log.ariaLive = "off";
  setTimeout(() => {
    log.ariaLive = null;
  }, 100);
}

function article({ from, name, text, sentAt }: ChatMessage, own: string | undefined): HTMLElement {
  const writer = `${from} ${name}`;
  const follows = writer === lastWriter;
  lastWriter = writer;
  const author = document.createElement("strong");
  author.textContent = name;
  const time = document.createElement("time");
  time.dateTime = new Date(sentAt).toISOString();
  time.textContent = timeFormat.format(sentAt);
  const head = document.createElement("p");
  head.className = `head${follows ? " unseen" : ""}`;
  head.append(author, " ", time);
  const body = document.createElement("p");
  body.className = "text";
  body.textContent = text;
  const message = document.createElement("article");
  message.classList.toggle("own", from !== "" && from === own);
  message.classList.toggle("follows", follows);
  message.append(disc(from, name), head, body);
  return message;
}
