/**
 * The notes by which the nodes of an application introduce themselves and ask each other, carried by the store's feed.
 * Each is signed under each of the application's secrets: another writer of the database can't forge one, and nodes of
 * which none can read the other's public ids don't answer each other.
 *
 * ```ts
 * const text = noteText({ kind: "hello", from }, sign);
 * readNote(text, sign); // the note again; undefined for any other text
 * ```
 */
import { isStrings, property } from "../base/shapes.ts";
import { keyedHashes, type Secret } from "../data/session-key.ts";

/** A node, as it introduces itself in each of its notes. */
export interface NodeIdentity {
  /** Random: each start of a process is another node. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Its `staleMs`: for how long it may serve a session without knowing of its end. */
  readonly leaseMs: number;
}

/** What a node asks all others. The answer is a number of sockets for each session. */
export type Question =
  /** The session has ended, as `revoked`: how many sockets have you closed? Answered when the last one is. */
  | { readonly kind: "end"; readonly publicIds: readonly string[]; readonly message?: string | undefined }
  /** The same of a session that is no longer stored: read it, if it is live. */
  | { readonly kind: "gone"; readonly publicIds: readonly string[] }
  /** How many sockets does each of these sessions have, each named by its public ids? */
  | { readonly kind: "count"; readonly sessions: readonly (readonly string[])[] };

/**
 * - `hello`: a node whose feed is whole, at the start or again; the others introduce themselves by `here`.
 * - `bye`: a node that has closed all its sockets.
 */
export type Note = { readonly from: NodeIdentity } & (
  | { readonly kind: "hello" | "here" | "bye" }
  | { readonly kind: "ask"; readonly ask: string; readonly question: Question }
  | { readonly kind: "answer"; readonly ask: string; readonly sockets: readonly number[] }
);

/** The hashes of a text, one under each secret. */
export type Sign = (text: string) => readonly string[];

/** Not the hash of public ids: another writer may store a session under any id, and read its public id. */
export function noteSigner(secrets: readonly Secret[]): Sign {
  return keyedHashes(secrets, "socket-session note");
}

export function noteText(note: Note, sign: Sign): string {
  const body = JSON.stringify(note);
  return `${sign(body).join(",")} ${body}`;
}

/** Undefined if it is not a note that a node with one of these secrets has written, of a kind that this release knows. */
export function readNote(text: string, sign: Sign): Note | undefined {
  const end = text.indexOf(" ");
  const body = text.slice(end + 1);
  const signatures = text.slice(0, Math.max(end, 0)).split(",");
  if (!sign(body).some((own) => signatures.includes(own))) return undefined;
  const value: unknown = JSON.parse(body); // it is signed, so it is JSON
  const from = property(value, "from");
  const kind = property(value, "kind");
  const ask = property(value, "ask");
  if (!isIdentity(from)) return undefined;
  if (kind === "hello" || kind === "here" || kind === "bye") return { kind, from };
  if (typeof ask !== "string") return undefined;
  const question = property(value, "question");
  if (kind === "ask" && isQuestion(question)) return { kind, from, ask, question };
  const sockets = property(value, "sockets");
  return kind === "answer" && areCounts(sockets) ? { kind, from, ask, sockets } : undefined;
}

function isIdentity(value: unknown): value is NodeIdentity {
  const leaseMs = property(value, "leaseMs");
  const isText = (name: string) => typeof property(value, name) === "string";
  return isText("id") && isText("name") && typeof leaseMs === "number" && leaseMs >= 0;
}

function isQuestion(value: unknown): value is Question {
  const kind = property(value, "kind");
  const sessions = property(value, "sessions");
  if (kind === "count") return Array.isArray(sessions) && sessions.every(isStrings);
  if (!isStrings(property(value, "publicIds"))) return false;
  const message = property(value, "message");
  return kind === "gone" || (kind === "end" && (message === undefined || typeof message === "string"));
}

function areCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}
