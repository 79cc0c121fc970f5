import { element, meta } from "./element.ts";

const line = element("nodes", HTMLParagraphElement);
const servedBy = meta("node");

/** With several nodes: shows which node served this page, and which one the socket is connected to. */
export function showNodes(socketNode: string): void {
  line.hidden = socketNode === "";
  if (servedBy && servedBy !== socketNode)
    line.replaceChildren(part(`${servedBy} serves this page`), " · ", part(`${socketNode} your socket`));
  else line.replaceChildren(part(`${socketNode} serves this page and your socket`));
}

/** If the line is too long, it breaks between its parts. */
function part(text: string): HTMLElement {
  const span = document.createElement("span");
  span.className = "part";
  span.textContent = text;
  return span;
}
