/**
 * Counts the commands that a client sends to MongoDB, with their collection. Leaves out the traffic that keeps a client
 * and a feed alive: the driver's monitoring, the cursors of a feed, and its marks.
 */
import { BSON } from "mongodb";
import { messages, type RequestReader } from "./wire-counter.ts";

const headerBytes = 16;
const opMsg = 2013;
/** With these a driver greets a server and watches it. */
const upkeep = new Set(["hello", "ismaster", "isMaster", "ping", "killCursors", "endSessions"]);

export function mongodbRequests(): RequestReader {
  const cut = messages((bytes) => {
    const length = bytes.length >= headerBytes ? bytes.readInt32LE(0) : 0;
    return bytes.length >= length ? length : 0;
  });
  return (chunk) =>
    cut(chunk).flatMap((message) => {
      if (message.readInt32LE(12) !== opMsg) return []; // the first greeting of a connection
      const command = commandOf(message);
      return isUpkeep(command) ? [] : [nameOf(command)];
    });
}

interface Command {
  readonly body: Record<string, unknown>;
  /** Sections sent beside the body, such as an insert's documents. */
  readonly documents: readonly Record<string, unknown>[];
}

/** After the flags: sections, each a document or a sequence of documents with a name. */
function commandOf(message: Buffer): Command {
  let body: Record<string, unknown> = {};
  const documents: Record<string, unknown>[] = [];
  let at = headerBytes + 4;
  while (at < message.length) {
    const isBody = message.readUInt8(at) === 0;
    const length = message.readInt32LE(at + 1);
    const end = at + 1 + length;
    if (isBody) body = BSON.deserialize(message.subarray(at + 1, end));
    else {
      let start = message.indexOf(0, at + 5) + 1;
      while (start < end) {
        const size = message.readInt32LE(start);
        documents.push(BSON.deserialize(message.subarray(start, start + size)));
        start += size;
      }
    }
    at = end;
  }
  const inBody = Array.isArray(body.documents) ? body.documents : [];
  return { body, documents: [...documents, ...inBody] };
}

function isUpkeep({ body, documents }: Command): boolean {
  const [name = ""] = Object.keys(body);
  if (upkeep.has(name)) return true;
  // Only a cursor that waits for what is to come says how long.
  if (name === "getMore") return "maxTimeMS" in body;
  if (name === "find") return body.tailable === true;
  const isMark = (document: Record<string, unknown>) => Object.keys(document).join() === "_id";
  return name === "insert" && documents.length > 0 && documents.every(isMark);
}

function nameOf({ body }: Command): string {
  const [[name = "", value] = []] = Object.entries(body);
  return typeof value === "string" ? `${name} ${value}` : name;
}
