/** Sessions as JSON files in a folder, for one process. */
import { createHash, randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Revision,
  type SessionDocument,
  type SessionKey,
  type SessionStore,
  SocketSessionError,
  type StoredSession,
} from "socket-session";

export class FileStore implements SessionStore {
  readonly name = "file";
  /** Operations of this process wait for each other. Another process on the same folder would not wait. */
  readonly atomic = false;
  readonly #folder: string;
  readonly #now: () => number;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(folder: string, now: () => number = Date.now) {
    this.#folder = folder;
    this.#now = now;
  }

  async read({ sid }: SessionKey): Promise<StoredSession | null> {
    return this.#inTurn(() => this.#load(sid));
  }

  async create({ sid }: SessionKey, document: SessionDocument, expiresAt: number): Promise<Revision | null> {
    const copy = copyOf(document); // at once: the caller may change the document before its turn comes
    return this.#inTurn(async () => {
      const isTaken = (await this.#load(sid)) !== null;
      return isTaken ? null : this.#save(sid, { document: copy, expiresAt, revision: randomUUID() });
    });
  }

  async replace(
    { sid }: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
  ): Promise<Revision | null> {
    const copy = copyOf(document);
    return this.#inTurn(async () => {
      const stored = await this.#load(sid);
      if (stored?.revision !== expected) return null;
      const until = expiresAt === "keep" ? stored.expiresAt : expiresAt;
      return this.#save(sid, { document: copy, expiresAt: until, revision: randomUUID() });
    });
  }

  async touch({ sid }: SessionKey, expiresAt: number): Promise<boolean> {
    return this.#inTurn(async () => {
      const stored = await this.#load(sid);
      if (stored && stored.expiresAt < expiresAt) await this.#save(sid, { ...stored, expiresAt });
      return stored !== null;
    });
  }

  async destroy({ sid }: SessionKey): Promise<boolean> {
    return this.#inTurn(async () => {
      // One that can't be read is there, and is ended like any other.
      const isThere = await this.#load(sid).then((stored) => stored !== null, isUnreadable);
      await rm(this.#path(sid), { force: true });
      return isThere;
    });
  }

  /** Waits for the operations that were begun, and refuses others from now on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([this.#last]);
  }

  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#isClosed)
      throw new SocketSessionError("STORE_FAILED", "The file store is closed. Make a new one.");
    const turn = this.#last.then(operation, operation);
    this.#last = turn;
    return turn;
  }

  async #load(sid: string): Promise<StoredSession | null> {
    const text = await readFile(this.#path(sid), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    const stored = text === null ? null : storedIn(text);
    return stored && stored.expiresAt > this.#now() ? stored : null;
  }

  /** A crash leaves the old file or the new one, and no half of either. */
  async #save(sid: string, stored: StoredSession): Promise<Revision> {
    const path = this.#path(sid);
    await writeFile(`${path}.new`, JSON.stringify(stored));
    await rename(`${path}.new`, path);
    return stored.revision;
  }

  #path(sid: string): string {
    return join(this.#folder, fileOf(sid));
  }
}

/** An id may be anything, `../../etc/passwd` included. */
export const fileOf = (sid: string) => `${createHash("sha256").update(sid, "utf16le").digest("hex")}.json`;

const copyOf = (document: SessionDocument): SessionDocument => JSON.parse(JSON.stringify(document));

function storedIn(text: string): StoredSession {
  try {
    const stored = JSON.parse(text);
    if (typeof stored.expiresAt === "number" && typeof stored.document.cookie === "object") return stored;
  } catch {
    // told below, without the message of the parser, which quotes the text
  }
  throw new SocketSessionError("SESSION_UNREADABLE", "Expected the file of a session, but found another.");
}

function isUnreadable(error: unknown): true {
  if (error instanceof SocketSessionError && error.code === "SESSION_UNREADABLE") return true;
  throw error;
}
