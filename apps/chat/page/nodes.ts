import { element } from "./element.ts";

const line = element("nodes", HTMLParagraphElement);
const servedBy = document.querySelector('meta[name="node"]')?.getAttribute("content") ?? "";

/** Where there are several nodes: which has served this page, and which the socket is connected to. */
export function showNodes(socketNode: string): void {
  line.hidden = socketNode === "";
  if (line.hidden) return;
  if (servedBy === socketNode || servedBy === "")
    line.textContent = `${socketNode} serves this page and your socket`;
  else line.textContent = `${servedBy} serves this page · ${socketNode} your socket`;
}
