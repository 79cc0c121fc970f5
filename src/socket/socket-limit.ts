import type { Clock } from "../base/clock.ts";
import type { LiveEntry } from "../live/live-entry.ts";

/** A client's connection, which holds places. */
export interface Holder {
  /** Asks the client for an answer, and calls `answered` when it comes, or if this client can't be asked. */
  ask(answered: () => void): void;
  /** Ends the transport. The connection then gives back its places. */
  close(): void;
}

/** How long a client may take to answer. One that does not is gone, and its places are free. */
const answerMs = 5_000;

interface Places {
  taken: number;
  readonly takenByHolder: Map<Holder, number>;
  /** Those that were asked, and have not answered. */
  readonly silent: Set<Holder>;
  askedAt: number;
  /** Cancels the time-out of those that are silent. */
  cancel: () => void;
  /** Clients that wait for a place. Called with false if none is left once all have answered. */
  readonly waiting: Set<(mayBeFree: boolean) => void>;
}

/**
 * `socketsPerSession`: bounds the sockets of each live session, on all servers of this process. A connection takes a place
 * before a socket is made, so that clients that ask at the same time get no more; it gives back what it still has when it closes.
 *
 * A client that loses its network leaves a connection that Engine.IO takes for open, for 45 s with its defaults. So where
 * no place is left, those that hold some are asked for an answer, and are closed if none comes.
 */
export class SocketLimit {
  readonly #max: number;
  readonly #clock: Clock;
  readonly #placesByEntry = new WeakMap<LiveEntry, Places>();

  /** `max`: Infinity for no limit. */
  constructor(max: number, clock: Clock) {
    this.#max = max;
    this.#clock = clock;
  }

  /** False if none is left. */
  take(entry: LiveEntry, holder: Holder): boolean {
    if (this.#max === Number.POSITIVE_INFINITY) return true;
    const places = this.#placesByEntry.get(entry) ?? noneTaken();
    if (places.taken >= this.#max) return false;
    this.#placesByEntry.set(entry, places);
    places.taken++;
    places.takenByHolder.set(holder, (places.takenByHolder.get(holder) ?? 0) + 1);
    return true;
  }

  /** Without `count`, all that it has. */
  giveBack(entry: LiveEntry, holder: Holder, count = Number.POSITIVE_INFINITY): void {
    const places = this.#placesByEntry.get(entry);
    const taken = places?.takenByHolder.get(holder);
    if (!places || taken === undefined) return;
    const left = Math.max(0, taken - count);
    places.taken -= taken - left;
    if (left > 0) places.takenByHolder.set(holder, left);
    else places.takenByHolder.delete(holder);
    wake(places, true);
    if (left === 0) answered(places, holder);
  }

  /**
   * Called where `take` has returned false. Resolves to true as soon as a place may be free, and to false if all clients that
   * hold places have answered, now or in the last seconds; at once if as many wait already as there are places.
   */
  async freed(entry: LiveEntry): Promise<boolean> {
    const places = this.#placesByEntry.get(entry);
    if (!places || places.taken < this.#max) return true;
    const isAsking = places.silent.size > 0;
    const now = this.#clock.now();
    const haveAnswered = !isAsking && now >= places.askedAt && now < places.askedAt + answerMs;
    if (haveAnswered || places.waiting.size >= this.#max) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    places.waiting.add(resolve);
    if (!isAsking) this.#ask(places, now);
    return promise;
  }

  #ask(places: Places, now: number): void {
    places.askedAt = now;
    const holders = [...places.takenByHolder.keys()];
    for (const holder of holders) places.silent.add(holder);
    for (const holder of holders) holder.ask(() => answered(places, holder));
    if (places.silent.size === 0) return;
    places.cancel = this.#clock.after(answerMs, () => {
      const gone = [...places.silent];
      places.silent.clear();
      for (const holder of gone) holder.close(); // it gives back its places, which wakes those who wait
      wake(places, false);
    });
  }
}

function noneTaken(): Places {
  return {
    taken: 0,
    takenByHolder: new Map(),
    silent: new Set(),
    askedAt: Number.NEGATIVE_INFINITY,
    cancel: () => {},
    waiting: new Set(),
  };
}

function answered(places: Places, holder: Holder): void {
  if (!places.silent.delete(holder) || places.silent.size > 0) return;
  places.cancel();
  wake(places, false);
}

function wake({ waiting }: Places, mayBeFree: boolean): void {
  const all = [...waiting];
  waiting.clear();
  for (const go of all) go(mayBeFree);
}
