/**
 * The connections of sessions that have ended on this node, until the last of them is closed: a receipt confirms no
 * socket that may still send. Their number is remembered for a while, as a question may come after the end.
 */
import type { Clock } from "../base/clock.ts";
import { ExpiringMap } from "../base/expiring-map.ts";
import type { LiveEntry, Observer } from "./live-entry.ts";

const rememberedMs = 60_000;
const maxRemembered = 10_000;

interface Closing {
  readonly publicIds: readonly string[];
  sockets: number;
  readonly open: Set<Observer>;
  readonly closed: PromiseWithResolvers<void>;
}

export class Closings {
  readonly #clock: Clock;
  readonly #underWay = new Map<string, Closing>();
  readonly #byObserver = new Map<Observer, Closing>();
  readonly #done: ExpiringMap<{ readonly sockets: number; readonly expiresAt: number }>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#done = new ExpiringMap(clock, { maxEntries: maxRemembered });
  }

  /** The entry has ended, and its observers are about to learn of that. Sockets of one that is unverified may come back. */
  begin({ key: { publicIds }, isUnverified }: LiveEntry, observers: readonly Observer[]): void {
    for (const observer of observers) {
      const { sockets } = observer;
      if (sockets === undefined) continue;
      const closing = this.#of(publicIds) ?? this.#start(publicIds);
      if (!isUnverified) closing.sockets += sockets;
      closing.open.add(observer);
      this.#byObserver.set(observer, closing);
    }
  }

  /** The observer is gone; if it was a connection, it is closed. */
  released(observer: Observer): void {
    const closing = this.#byObserver.get(observer);
    if (!closing) return;
    this.#byObserver.delete(observer);
    closing.open.delete(observer);
    if (closing.open.size === 0) this.#finish(closing);
  }

  /** How many sockets of the session have been closed; resolves when no connection is open any more. */
  async closed(publicIds: readonly string[]): Promise<number> {
    const closing = this.#of(publicIds);
    if (closing) {
      await closing.closed.promise;
      return closing.sockets;
    }
    for (const id of publicIds) {
      const done = this.#done.get(id);
      if (done) return done.sockets;
    }
    return 0;
  }

  clear(): void {
    this.#underWay.clear();
    this.#byObserver.clear();
    this.#done.clear();
  }

  #of(publicIds: readonly string[]): Closing | undefined {
    for (const id of publicIds) {
      const closing = this.#underWay.get(id);
      if (closing) return closing;
    }
    return undefined;
  }

  #start(publicIds: readonly string[]): Closing {
    const closing = {
      publicIds,
      sockets: 0,
      open: new Set<Observer>(),
      closed: Promise.withResolvers<void>(),
    };
    for (const id of publicIds) this.#underWay.set(id, closing);
    return closing;
  }

  #finish({ publicIds, sockets, closed }: Closing): void {
    const expiresAt = this.#clock.now() + rememberedMs;
    for (const id of publicIds) {
      this.#underWay.delete(id);
      this.#done.set(id, { sockets, expiresAt });
    }
    closed.resolve();
  }
}
