/** Counts the commands that a client sends to Redis, by name. */
import { messages, type RequestReader } from "./wire-counter.ts";

export function redisRequests(): RequestReader {
  const cut = messages((bytes) => commandLength(bytes));
  return (chunk) => cut(chunk).map(nameOf);
}

/** A command is an array of bulk strings: `*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n`. */
function commandLength(bytes: Buffer): number {
  const head = lineAt(bytes, 0, "*");
  if (!head) return 0;
  let end = head.end;
  for (let part = 0; part < head.number; part++) {
    const size = lineAt(bytes, end, "$");
    if (!size || bytes.length < size.end + size.number + 2) return 0;
    end = size.end + size.number + 2;
  }
  return end;
}

function nameOf(command: Buffer): string {
  const size = lineAt(command, lineAt(command, 0, "*")?.end ?? 0, "$");
  if (!size) throw new Error("Expected a Redis command to have a name.");
  return command.toString("utf8", size.end, size.end + size.number).toUpperCase();
}

/** The number on a line that begins with `sign`, and where the next line begins; undefined while it is not whole. */
function lineAt(bytes: Buffer, start: number, sign: "*" | "$"): { number: number; end: number } | undefined {
  const end = bytes.indexOf("\r\n", start);
  if (end === -1) return undefined;
  const line = bytes.toString("latin1", start, end);
  const number = Number(line.slice(1));
  if (!line.startsWith(sign) || !Number.isInteger(number))
    throw new Error(`Expected a Redis client to send ${sign} and a number, but it sent ${line}.`);
  return { number, end: end + 2 };
}
