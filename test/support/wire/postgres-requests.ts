/**
 * Counts the statements that a client sends to PostgreSQL, by verb. The parts of a statement (Parse, Bind, Execute,
 * Sync) travel together and count as one.
 */
import { messages, type RequestReader } from "./wire-counter.ts";

const encryptionRequests = new Set([80877103, 80877104]);

export function postgresRequests(): RequestReader {
  let greeted = false;
  let statement = "";
  const cut = messages((bytes) => {
    // A type and the length of the rest; the greeting has no type.
    const typeBytes = greeted ? 1 : 0;
    if (bytes.length < typeBytes + 4) return 0;
    const length = typeBytes + bytes.readInt32BE(typeBytes);
    if (bytes.length < length) return 0;
    greeted ||= !encryptionRequests.has(bytes.readInt32BE(4));
    return length;
  });
  return (chunk) =>
    cut(chunk).flatMap((message) => {
      const type = message.toString("latin1", 0, 1);
      if (type === "P") statement = message.toString("utf8", message.indexOf(0, 5) + 1); // after its name
      if (type === "Q") statement = message.toString("utf8", 5);
      return type === "Q" || type === "S" ? [verbOf(statement)] : [];
    });
}

function verbOf(statement: string): string {
  const found = /\b(?:INSERT|UPDATE|DELETE|SELECT)\b/i.exec(statement) ?? /\w+/.exec(statement);
  return found?.[0].toUpperCase() ?? "";
}
