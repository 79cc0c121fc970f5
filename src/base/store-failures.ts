/**
 * Cures for the errors of a database that is not set up yet: the server is down, the password is wrong. They match the
 * output of `errorText`, which contains neither ids nor credentials.
 */
import { errorText } from "./errors.ts";

const cures: readonly (readonly [RegExp, string])[] = [
  [
    /\b(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|EPIPE|ETIMEDOUT|MaxRetriesPerRequestError|MongoServerSelectionError|MongoNetworkError|ClientOfflineError|SocketClosedUnexpectedlyError)\b/,
    "The database can't be reached: check that it runs, and the address that the client has.",
  ],
  [
    /\b(NOAUTH|WRONGPASS|28P01|28000|MongoServerError 18)$/,
    "The database refuses the user or the password: check those that the client has.",
  ],
  [
    /\b(NOPERM|42501|MongoServerError 13)$/,
    "The database's user may not do this: grant what the page of the store lists.",
  ],
  [/\b3D000$/, "There is no database of that name: create it, or correct the name that the pool has."],
  [/\b(READONLY|25006)$/, "This server is read-only: connect the client to the primary."],
  [/\bMOVED$/, "This is a Redis Cluster: make the client with createCluster() or ioredis's Cluster."],
  [
    /\b(MongoNotConnectedError|MongoClientClosedError|MongoTopologyClosedError)\b/,
    "The client is not connected: the database can't be reached, or the client has been closed. Close it after sessions.close().",
  ],
];

/** The cure, with a leading space; empty if none is known. */
export function cureOf(error: unknown): string {
  const text = errorText(error);
  const found = cures.find(([pattern]) => pattern.test(text));
  return found ? ` ${found[1]}` : "";
}
