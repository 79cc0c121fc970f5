/**
 * The parts of the driver `mongodb`, 6 or later, that this store uses: a `MongoClient`, its `Db`, and a `Collection`.
 * Described by shape, so that no driver is needed to compile and any instance fits. Also the server's error codes, and
 * how long a feed's cursor waits and how it is closed.
 */
import createDebug from "debug";
import type { Clock } from "../../base/clock.ts";
import { errorText } from "../../base/errors.ts";
import { withTimeout } from "../../base/with-timeout.ts";

/** A document, filter, update or command of the driver. */
export type MongodbDocument = Record<string, unknown>;

export interface MongodbClient {
  db(name?: string): MongodbDatabase;
}

export interface MongodbDatabase {
  /** `options`: how values are read, and the concerns; the database's by default. */
  collection(name: string, options: object): MongodbCollection;
  command(command: MongodbDocument): Promise<MongodbDocument>;
  createCollection(name: string, options: { capped: boolean; size: number }): Promise<unknown>;
}

export interface MongodbCollection {
  readonly dbName: string;
  readonly collectionName: string;
  /** From the collection, its database or its client. */
  readonly writeConcern?: object | undefined;
  readonly readConcern?: object | undefined;
  findOne(filter: MongodbDocument, options: { readPreference: "primary" }): Promise<MongodbDocument | null>;
  find(filter: MongodbDocument, options: MongodbFindOptions): MongodbCursor;
  countDocuments(filter: MongodbDocument, options: { readPreference: "primary" }): Promise<number>;
  insertOne(document: MongodbDocument, options?: MongodbWriteOptions): Promise<unknown>;
  updateOne(
    filter: MongodbDocument,
    update: MongodbDocument,
    options: MongodbWriteOptions,
  ): Promise<{ matchedCount: number }>;
  replaceOne(
    filter: MongodbDocument,
    replacement: MongodbDocument,
    options: MongodbWriteOptions & { upsert: boolean },
  ): Promise<unknown>;
  deleteOne(filter: MongodbDocument, options: MongodbWriteOptions): Promise<{ deletedCount: number }>;
  deleteMany(filter: MongodbDocument, options?: MongodbWriteOptions): Promise<unknown>;
  findOneAndDelete(filter: MongodbDocument, options: MongodbWriteOptions): Promise<MongodbDocument | null>;
  createIndex(keys: Record<string, 1>, options: MongodbIndexOptions): Promise<unknown>;
  watch(pipeline: MongodbDocument[], options: { maxAwaitTimeMS: number }): MongodbChangeStream;
}

interface MongodbFindOptions {
  readPreference: "primary";
  batchSize?: number;
  tailable?: boolean;
  awaitData?: boolean;
  maxAwaitTimeMS?: number;
}

export interface MongodbWriteOptions {
  writeConcern?: MongodbWriteConcern;
}

export interface MongodbWriteConcern {
  w?: number | "majority";
  journal?: boolean;
  j?: boolean;
  wtimeoutMS?: number;
}

export interface MongodbIndexOptions {
  background?: boolean;
  expireAfterSeconds?: number;
  sparse?: boolean;
}

export interface MongodbCursor {
  readonly closed: boolean;
  /** The next document; null if there is none at the moment, or the cursor is at its end. */
  tryNext(): Promise<MongodbDocument | null>;
  toArray(): Promise<MongodbDocument[]>;
  close(): Promise<void>;
}

export interface MongodbChangeStream {
  readonly closed: boolean;
  tryNext(): Promise<MongodbDocument | null>;
  /** How many events of the last answer are left; since version 6.3 of the driver. */
  bufferedCount?(): number;
  close(): Promise<void>;
  /** Emitted when the server has answered: the stream is open. */
  once(event: "resumeTokenChanged", listener: () => void): unknown;
}

/** The server's error codes that this store handles. */
export const mongodbErrors = {
  /** The collection exists already. */
  namespaceExists: 48,
  commandNotSupported: 115,
  notImplemented: 238,
  duplicateKey: 11000,
} as const;

/** Undefined if the error is not from the server, such as a lost connection. */
export function errorCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}

const debug = createDebug("socket-session:store");

/** How long the server may wait for events before it answers: several answers fit into a heartbeat. */
export function awaitTimeMs(heartbeatMs: number): number {
  return Math.max(1, Math.min(1000, Math.floor(heartbeatMs / 4)));
}

const patienceMs = 1_000;

/** Never rejects: a cursor that can't be closed is already gone, or the server ends it. */
export function closeCursor(cursor: { close(): Promise<void> }, clock: Clock): Promise<void> {
  return attempt(clock, () => cursor.close(), "closing a cursor of the change feed");
}

/** Waits for `run`, but not for long, and logs its failure (`DEBUG=socket-session:store`). */
export function attempt(clock: Clock, run: () => Promise<unknown>, what: string): Promise<void> {
  return withTimeout(clock, patienceMs, run, () => new Error(`no answer within ${patienceMs} ms`)).then(
    () => undefined,
    (error: unknown) => debug("%s failed: %s", what, errorText(error)),
  );
}
