/**
 * Signs of life through every server of a Cluster, again and again. A feed listens at one of them, to which the others
 * pass on what is published: it is alive when the beats of all have come.
 *
 * ```ts
 * const beats = new ClusterBeats(connection, channel, clock, heartbeatMs, sink);
 * beats.start();
 * beats.heard(beat);
 * beats.stop();
 * ```
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { beatMessage } from "../common/messages.ts";
import type { FeedSink } from "../common/remote-feed.ts";
import type { RedisConnection } from "./connection.ts";

export class ClusterBeats {
  readonly #connection: RedisConnection;
  readonly #channel: string;
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #sink: Pick<FeedSink, "alive" | "down">;
  #missing = new Set<string>();
  #sentAt = 0;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(
    connection: RedisConnection,
    channel: string,
    clock: Clock,
    everyMs: number,
    sink: Pick<FeedSink, "alive" | "down">,
  ) {
    this.#connection = connection;
    this.#channel = channel;
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#sink = sink;
  }

  start(): void {
    this.#cancel = this.#clock.after(this.#everyMs, () => this.start());
    this.#send().catch((error: unknown) => this.#sink.down(error));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  heard(beat: string): void {
    if (this.#missing.delete(beat) && this.#missing.size === 0) this.#sink.alive(this.#sentAt);
  }

  async #send(): Promise<void> {
    const masters = await this.#connection.masters();
    if (this.#stopped) return;
    const beats = masters.map((node) => ({ node, beat: randomUUID() }));
    this.#sentAt = this.#clock.now();
    this.#missing = new Set(beats.map(({ beat }) => beat));
    await Promise.all(
      beats.map(({ node, beat }) => node.send(["PUBLISH", this.#channel, beatMessage(beat)])),
    );
  }
}
