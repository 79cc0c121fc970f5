import { hostname } from "node:os";
import { invalid } from "../base/arguments.ts";

/** The name travels in each note of the node. */
const maxLength = 100;

/** The given name of this process, or one by which people can find it. Throws `INVALID_OPTION`. */
export function nodeNameOf(nodeName: unknown): string {
  if (nodeName === undefined) return `${hostname()}:${process.pid}`.slice(-maxLength);
  const isName = typeof nodeName === "string" && nodeName !== "" && nodeName.length <= maxLength;
  if (isName && nodeName.isWellFormed()) return nodeName;
  throw invalid(
    `\`nodeName\` expects a name of 1 to ${maxLength} characters, without halves of one`,
    nodeName,
    "Leave it out for the host's name and the process id.",
  );
}
