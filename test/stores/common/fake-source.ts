/**
 * A database's feed in the hand of the test: its connections hear what is published, or not.
 *
 * ```ts
 * const source = new FakeSource();
 * source.opens = "deaf";
 * const feed = new RemoteFeed(() => source, new ManualClock());
 * ```
 */
import type { FeedConnection, FeedSink, FeedSource } from "../../../src/stores/common/feed-source.ts";

export class FakeConnection implements FeedConnection {
  readonly sink: FeedSink;
  isDeaf: boolean;
  isClosed = false;
  /** Ends the waiting of one that is being opened. */
  arrive: () => void = () => {};

  constructor(sink: FeedSink, isDeaf: boolean) {
    this.sink = sink;
    this.isDeaf = isDeaf;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

export class FakeSource implements FeedSource {
  readonly silenceCure = "Is there a pooler in between?";
  readonly connections: FakeConnection[] = [];
  /**
   * What becomes of a connection that is opened. `late`: it waits for `arrive`. `deaf`: it is there, and hears nothing.
   * `flaps`: it breaks after the first it hears.
   */
  opens: "well" | "late" | "deaf" | "flaps" | "never" = "well";
  publishes = true;
  /** How often a message is published: a client sends it again where the answer was lost. */
  sendings = 1;
  /** By how many servers a message is passed on. */
  copies = 1;
  attempts = 0;

  /** The connection opened last. */
  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (!last) throw new Error("Expected a connection to have been opened.");
    return last;
  }

  async open(sink: FeedSink): Promise<FeedConnection> {
    this.attempts++;
    if (this.opens === "never") throw new Error("refused");
    const connection = new FakeConnection(sink, this.opens === "deaf");
    this.connections.push(connection);
    if (this.opens === "late") {
      await new Promise<void>((resolve) => {
        connection.arrive = resolve;
      });
    }
    return connection;
  }

  async publish(textOf: (copy: number) => string): Promise<number> {
    if (!this.publishes) throw new Error("can't publish");
    for (const connection of this.connections) {
      if (connection.isDeaf || connection.isClosed) continue;
      for (let copy = 0; copy < this.copies; copy++)
        for (let sent = 0; sent < this.sendings; sent++) connection.sink.message(textOf(copy));
      if (this.opens === "flaps") connection.sink.down(new Error("cut"));
    }
    return this.copies;
  }
}
