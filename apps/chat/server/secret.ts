import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** Signs the cookies: a reader of it can forge the cookie of any session. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** A new secret at each start would log all visitors out, so it is created once and kept. */
export function keptSecret(path: string): string {
  const secret = readIfThere(path) ?? make(path);
  if (secret !== "") return secret;
  throw new Error(
    `${path} is empty. Remove it to get a new secret (everybody is logged out), or set SECRET.`,
  );
}

/** Nodes that start at the same time all get the same secret: the file appears whole, or not at all. */
function make(path: string): string {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, newSecret(), { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(path, "utf8").trim();
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
