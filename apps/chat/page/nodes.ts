import { element, meta } from "./element.ts";

const line = element("nodes", HTMLParagraphElement);
const servedBy = meta("node");
let current = "";

/** The node of this page's socket, as the end of a sentence; empty if there is only one. */
export const onNode = () => (current === "" ? "" : `, on ${current}`);

/** With several nodes: which one served this page, and which one the socket is connected to. */
export function showNode(socketNode: string): void {
  current = socketNode;
  line.hidden = false;
  line.textContent =
    servedBy && servedBy !== socketNode
      ? `Page: ${servedBy}, socket: ${socketNode}`
      : `Page and socket: ${socketNode}`;
  element("stop-node", HTMLInputElement).value = socketNode;
  element("stop-label", HTMLSpanElement).textContent = `Stop ${socketNode}, which has my socket`;
}
