import type { ChatMessage } from "../shared/events.ts";
import { disc, numberOf } from "./disc.ts";
import { element } from "./element.ts";
import { withLinks } from "./links.ts";
import { isOwn, onOwn } from "./own.ts";

const log = element("log", HTMLDivElement);
const empty = element("log-empty", HTMLDivElement);
/** By the id of its message, the oldest first. */
const shown = new Map<string, HTMLElement>();
const most = 200;
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
export function showMessages(messages: readonly ChatMessage[]): void {
  const unknown = messages.filter(({ id }) => !shown.has(id));
  if (unknown.length === 0) return;
  if (shown.size === 0) fillQuietly();
  empty.hidden = true;
  for (const message of unknown) {
    const added = article(message);
    shown.set(message.id, added);
    log.append(added);
  }
  for (const [id, oldest] of [...shown].slice(0, -most)) {
    shown.delete(id);
    oldest.remove();
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

onOwn(() => {
  for (const article of log.querySelectorAll("article"))
    article.classList.toggle("own", isOwn(article.dataset.author ?? ""));
});

function article({ author, name, text, sentAt }: ChatMessage): HTMLElement {
  const shownName = author.startsWith("user ") ? name : `${name} ${10 + numberOf(author, 90)}`;
  const writer = `${author} ${name}`;
  const follows = writer === lastWriter;
  lastWriter = writer;
  const by = document.createElement("strong");
  by.textContent = shownName;
  const time = document.createElement("time");
  time.dateTime = new Date(sentAt).toISOString();
  time.textContent = timeFormat.format(sentAt);
  const head = document.createElement("p");
  head.className = `head${follows ? " unseen" : ""}`;
  head.append(by, " ", time);
  const body = document.createElement("p");
  body.className = "text";
  body.append(...withLinks(text));
  const message = document.createElement("article");
  message.dataset.author = author;
  message.classList.toggle("own", isOwn(author));
  message.classList.toggle("follows", follows);
  message.append(disc(author, name), head, body);
  return message;
}
