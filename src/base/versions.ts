import { SocketSessionError } from "./errors.ts";

export type Version = readonly [major: number, minor: number, patch: number];

const oldestNode: Version = [22, 13, 0];

/** Whether `version`, such as "20.20.2", is older than `least`. */
export function isOlder(version: string, least: Version): boolean {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  for (const [index, wanted] of least.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

/**
 * Throws `UNSUPPORTED_UPSTREAM` on an old Node, of which npm only warns. For constructors: a failing import explains
 * less.
 */
export function requireNode(version: string = process.versions.node): void {
  if (!isOlder(version, oldestNode)) return;
  throw new SocketSessionError(
    "UNSUPPORTED_UPSTREAM",
    `socket-session needs Node ${oldestNode[0]}.${oldestNode[1]} or later; this is ${version}. Update Node: install a current release, or change the base image of the container.`,
  );
}
