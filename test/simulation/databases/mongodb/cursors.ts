/** Cursors as the driver keeps them: on a capped collection, and of a change stream, which resumes by its token. */
import { EventEmitter } from "node:events";
import type {
  MongodbChangeStream,
  MongodbCursor,
  MongodbDocument,
} from "../../../../src/stores/mongodb/client.ts";
import { Unsupported } from "../../world/unsupported.ts";
import { isResumable, serverError } from "./errors.ts";
import { isRecord, matches } from "./filters.ts";
import type { Batch, Entry } from "./log.ts";
import type { MongodbServer } from "./server.ts";
import type { MongodbTopology } from "./topology.ts";

interface Following {
  readonly server: MongodbServer;
  readonly topology: MongodbTopology;
  /** How long the server waits for something to answer. */
  readonly waitMs: number;
}

class DriverCursor {
  readonly #following: Following;
  readonly #open: () => Batch;
  readonly #answered: (batch: Batch) => void;
  readonly #buffer: Entry[] = [];
  /** Undefined until the server has opened it. */
  id: number | undefined;
  closed = false;

  /** `open` runs at the server. */
  constructor(following: Following, open: () => Batch, answered: (batch: Batch) => void = () => {}) {
    this.#following = following;
    this.#open = open;
    this.#answered = answered;
  }

  get buffered(): number {
    return this.#buffer.length;
  }

  /** Null if there was none for a while. A cursor is of no more use once it has failed. */
  async tryNext(): Promise<Entry | null> {
    if (this.#buffer.length === 0 && !this.closed) await this.#fetch();
    return this.#buffer.shift() ?? null;
  }

  /** Never rejects: the server ends it by itself in time. */
  async close(): Promise<void> {
    const { server, topology } = this.#following;
    const { id } = this;
    if (this.closed) return;
    this.closed = true;
    if (id === undefined) return;
    const killed = topology.once(() => server.cursors.kill(id));
    await killed.catch(() => {});
  }

  async #fetch(): Promise<void> {
    const { server, topology, waitMs } = this.#following;
    try {
      if (this.id === undefined) this.#take(await topology.read(this.#open));
      const { id } = this;
      if (this.#buffer.length > 0 || this.closed || id === undefined) return;
      this.#take(await topology.late((answer) => server.cursors.more(id, waitMs, answer)));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #take(batch: Batch): void {
    this.id = batch.id;
    this.#buffer.push(...batch.entries);
    this.#answered(batch);
  }
}

/** Reads a capped collection from its beginning, and then what is inserted. */
export class SimulatedTail implements MongodbCursor {
  readonly #cursor: DriverCursor;

  constructor(following: Following) {
    const { server } = following;
    this.#cursor = new DriverCursor(following, () => {
      const log = server.messages;
      if (!log) throw new Unsupported("a cursor on a collection that was not created");
      const overrun = () => serverError(136, "CappedPositionLost");
      return server.cursors.open({ log, isWanted: () => true, overrun }, log.start);
    });
  }

  get closed(): boolean {
    return this.#cursor.closed;
  }

  async tryNext(): Promise<MongodbDocument | null> {
    return (await this.#cursor.tryNext())?.document ?? null;
  }

  toArray(): Promise<never> {
    throw new Unsupported("toArray() of a tailable cursor");
  }

  close(): Promise<void> {
    return this.#cursor.close();
  }
}

export class SimulatedChangeStream extends EventEmitter implements MongodbChangeStream {
  readonly #following: Following;
  readonly #pipeline: readonly MongodbDocument[];
  #cursor: DriverCursor;
  #isClosed = false;
  /** Everything up to this position has been delivered. */
  #token: number | undefined;
  /** Where the last answer ended. */
  #end = 0;

  constructor(following: Following, pipeline: readonly MongodbDocument[]) {
    super();
    this.#following = following;
    this.#pipeline = pipeline;
    this.#cursor = this.#openCursor();
  }

  get closed(): boolean {
    return this.#isClosed || this.#cursor.closed;
  }

  bufferedCount(): number {
    return this.#cursor.buffered;
  }

  async tryNext(): Promise<MongodbDocument | null> {
    for (;;) {
      try {
        const entry = await this.#cursor.tryNext();
        return entry && this.#told(entry);
      } catch (error) {
        await this.#resume(error);
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#cursor.close();
  }

  #told({ position, document }: Entry): MongodbDocument {
    if (this.#isClosed) throw new Error("ChangeStream is closed");
    this.#remember(this.#cursor.buffered === 0 ? this.#end : position);
    return { _id: { _data: String(position) }, ...document };
  }

  #remember(token: number): void {
    this.#token = token;
    this.emit("resumeTokenChanged", token);
  }

  /** Rejects with the error if it is of no more use. One that was never open is not resumed. */
  async #resume(error: unknown): Promise<void> {
    const { topology } = this.#following;
    if (this.#isClosed || this.#cursor.id === undefined || !isResumable(error)) {
      await this.close();
      throw error;
    }
    try {
      await topology.select();
    } catch {
      await this.close();
      throw error;
    }
    this.#cursor = this.#openCursor();
  }

  #openCursor(): DriverCursor {
    const { server } = this.#following;
    const token = this.#token;
    const open = () => {
      const log = server.events;
      const overrun = () => serverError(286, "ChangeStreamHistoryLost");
      if (token !== undefined && token < log.start) throw overrun();
      return server.cursors.open({ log, isWanted: wantedBy(this.#pipeline), overrun }, token ?? log.end);
    };
    return new DriverCursor(this.#following, open, ({ entries, end }) => {
      this.#end = end;
      if (entries.length === 0) this.#remember(end);
    });
  }
}

function wantedBy(pipeline: readonly MongodbDocument[]): (event: MongodbDocument) => boolean {
  const filters = pipeline.map(({ $match: filter, ...others }) => {
    if (isRecord(filter) && Object.keys(others).length === 0) return filter;
    throw new Unsupported("a stage of a pipeline that is not $match");
  });
  return (event) => filters.every((filter) => matches(event, filter));
}
