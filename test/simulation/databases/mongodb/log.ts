/**
 * The log that a MongoDB server appends to and cursors follow: the events of a replica set, or a capped collection. It
 * keeps as much as it has room for. A cursor that waits in vain gets an empty answer.
 */
import type { MongodbDocument } from "../../../../src/stores/mongodb/client.ts";
import type { DatabaseServer } from "../../world/database-server.ts";
import { serverError } from "./errors.ts";

export interface Entry {
  /** From 1 on, in order. */
  readonly position: number;
  readonly document: MongodbDocument;
}

export class Log {
  readonly #entries: Entry[] = [];
  readonly #room: number;
  readonly #listeners = new Set<() => void>();
  #end = 0;

  constructor(room: number) {
    this.#room = room;
  }

  /** The position of the last entry. */
  get end(): number {
    return this.#end;
  }

  /** The position before the first entry that is still there. */
  get start(): number {
    return this.#end - this.#entries.length;
  }

  append(document: MongodbDocument): void {
    this.#entries.push({ position: ++this.#end, document });
    if (this.#entries.length > this.#room) this.#entries.shift();
    for (const listener of [...this.#listeners]) listener();
  }

  after(position: number): Entry[] {
    return this.#entries.slice(Math.max(0, position - this.start));
  }

  /** A power cut: what comes after is lost. */
  cutOff(position: number): void {
    while (this.#end > position && this.#entries.pop()) this.#end--;
  }

  /** Returns the undoing. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export interface Follow {
  readonly log: Log;
  /** The entries that the cursor skips. */
  readonly isWanted: (document: MongodbDocument) => boolean;
  /** The error where the entries behind its position have been overwritten. */
  readonly overrun: () => Error;
}

export interface Batch {
  readonly id: number;
  readonly entries: readonly Entry[];
  /** The cursor has seen all up to here. */
  readonly end: number;
}

type Cursor = Follow & { position: number };

export class Cursors {
  readonly #server: DatabaseServer;
  readonly #cursors = new Map<number, Cursor>();
  #last = 0;

  constructor(server: DatabaseServer) {
    this.#server = server;
  }

  /** The first batch is answered at once, and may be empty. */
  open(follow: Follow, position: number): Batch {
    const id = ++this.#last;
    this.#cursors.set(id, { ...follow, position });
    return this.#batch(id);
  }

  /** Answers when there is something, or after `waitMs`. */
  more(id: number, waitMs: number, answer: (work: () => Batch) => void): void {
    const cursor = this.#cursors.get(id);
    if (!cursor || cursor.position < cursor.log.start || this.#wanted(cursor).length > 0)
      answer(() => this.#batch(id));
    else this.#answerLater(id, cursor, waitMs, answer);
  }
  kill(id: number): void {
    this.#cursors.delete(id);
  }

  /** None outlives its server. */
  clear(): void {
    this.#cursors.clear();
  }

  #answerLater(id: number, cursor: Cursor, waitMs: number, answer: (work: () => Batch) => void): void {
    const end = () => {
      unlisten();
      cancel();
      this.#server.admit((failure) => answer(() => this.#batch(id, failure)));
    };
    const cancel = this.#server.world.after(waitMs, end);
    const unlisten = cursor.log.onAppend(() => {
      if (this.#wanted(cursor).length > 0) end();
    });
  }

  #wanted({ log, position, isWanted }: Cursor): Entry[] {
    return log.after(position).filter(({ document }) => isWanted(document));
  }

  #batch(id: number, failure?: Error): Batch {
    if (failure) throw failure;
    const cursor = this.#cursors.get(id);
    if (!cursor) throw serverError(43, "CursorNotFound");
    if (cursor.position < cursor.log.start) {
      this.kill(id);
      throw cursor.overrun();
    }
    const entries = structuredClone(this.#wanted(cursor));
    cursor.position = cursor.log.end;
    return { id, entries, end: cursor.position };
  }
}
