/**
 * The change feed of a replica set or a sharded cluster: a change stream on the sessions' collection. A write and its
 * event are one atomic step, for every writer.
 *
 * The feed polls the stream for events. Each answer proves that the stream was whole when the request was sent. The driver
 * resumes it after transient errors (a killed cursor, a new primary) without missing an event.
 */
import createDebug from "debug";
import type { Clock } from "../../base/clock.ts";
import { errorText, SocketSessionError } from "../../base/errors.ts";
import type { FeedOptions } from "../../session-store.ts";
import type { FeedConnection, FeedSink, FeedSource } from "../common/feed-source.ts";
import { changePipeline, type MongodbChangeReader } from "./change-reader.ts";
import {
  awaitTimeMs,
  closeCursor,
  type MongodbChangeStream,
  type MongodbCollection,
  type MongodbDocument,
} from "./client.ts";

const debug = createDebug("socket-session:store");

export class MongodbChangeStreamSource implements FeedSource {
  readonly silenceCure = "Is the database unreachable, or without a primary?";
  readonly #collection: MongodbCollection;
  readonly #reader: MongodbChangeReader;
  readonly #clock: Clock;

  constructor(collection: MongodbCollection, reader: MongodbChangeReader, clock: Clock) {
    this.#collection = collection;
    this.#reader = reader;
    this.#clock = clock;
  }

  async open(sink: FeedSink, { heartbeatMs }: FeedOptions): Promise<FeedConnection> {
    const stream = this.#collection.watch(changePipeline, { maxAwaitTimeMS: awaitTimeMs(heartbeatMs) });
    const pull = new Pull(stream, this.#reader, sink, this.#clock);
    pull.run();
    return pull;
  }
}

class Pull implements FeedConnection {
  readonly #stream: MongodbChangeStream;
  readonly #reader: MongodbChangeReader;
  readonly #sink: FeedSink;
  readonly #clock: Clock;
  #closed = false;

  constructor(stream: MongodbChangeStream, reader: MongodbChangeReader, sink: FeedSink, clock: Clock) {
    this.#stream = stream;
    this.#reader = reader;
    this.#sink = sink;
    this.#clock = clock;
  }

  run(): void {
    const sentAt = this.#clock.now();
    // The first answer says where the stream starts; the first events may take longer.
    this.#stream.once("resumeTokenChanged", () => this.#sink.alive(sentAt));
    this.#pull().catch((error: unknown) => {
      if (this.#closed) debug("a change stream that is being closed failed: %s", errorText(error));
      else this.#sink.down(error);
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    return closeCursor(this.#stream, this.#clock);
  }

  async #pull(): Promise<void> {
    let asOf = this.#clock.now();
    let sentAt = asOf;
    while (!this.#closed) {
      if ((this.#buffered() ?? 0) === 0) sentAt = this.#clock.now();
      const event = await this.#stream.tryNext();
      if (this.#closed) return closeCursor(this.#stream, this.#clock); // the driver may have resumed it
      if (event) this.#deliver(event);
      else if (this.#stream.closed) throw this.#lost();
      // An answer holds every event up to its request. Older drivers don't say whether events of it are left.
      if (event === null || this.#buffered() === 0) asOf = sentAt;
      this.#sink.alive(asOf);
    }
  }

  #buffered(): number | undefined {
    return this.#stream.bufferedCount?.();
  }

  #deliver(event: MongodbDocument): void {
    const change = this.#reader.read(event);
    if (!change) return;
    if (change.kind === "lost") throw this.#lost();
    if (change.kind === "note") this.#sink.told(change.note);
    else if (change.kind === "cleared") this.#sink.missed();
    else this.#sink.changed(change);
  }

  #lost(): SocketSessionError {
    return new SocketSessionError(
      "STORE_FAILED",
      "Expected the change stream on the collection of the sessions to go on, but it has ended, as it does when the " +
        "collection is dropped or renamed. It is reopened.",
    );
  }
}
