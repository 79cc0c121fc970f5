/**
 * What this store uses of the driver `mongodb`, from version 6 on: a `MongoClient`, its `Db`, and a `Collection`.
 * Described by shape, so that no driver is needed to compile, and any instance of it fits.
 */

/** A document, a filter, an update or a command, as the driver takes and gives them. */
export type MongodbDocument = Record<string, unknown>;

export interface MongodbClient {
  db(name?: string): MongodbDatabase;
}

export interface MongodbDatabase {
  /** `options`: how values are read, and the concerns; what is left out is the database's. */
  collection(name: string, options: object): MongodbCollection;
  command(command: MongodbDocument): Promise<MongodbDocument>;
  createCollection(name: string, options: { capped: boolean; size: number }): Promise<unknown>;
}

export interface MongodbCollection {
  readonly dbName: string;
  readonly collectionName: string;
  /** What is set on the collection, its database or its client. */
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
  /** How many events of the last answer are still to come; from version 6.3 of the driver on. */
  bufferedCount?(): number;
  close(): Promise<void>;
  /** The server has answered: the stream is open. */
  once(event: "resumeTokenChanged", listener: () => void): unknown;
}
