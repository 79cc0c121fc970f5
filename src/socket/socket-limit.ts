import type { LiveEntry } from "../live/live-entry.ts";

/**
 * `socketsPerSession`: bounds the sockets of each live session, on all servers of this process. A connection takes a place
 * before a socket is made, so that clients that ask at the same time get no more; it gives back what it still has when it closes.
 */
export class SocketLimit {
  readonly #max: number;
  readonly #takenByEntry = new WeakMap<LiveEntry, number>();
  readonly #takenByConnection = new WeakMap<object, number>();

  /** `max`: Infinity for no limit. */
  constructor(max: number) {
    this.#max = max;
  }

  /** False if none is left. */
  take(entry: LiveEntry, connection: object): boolean {
    if (this.#max === Number.POSITIVE_INFINITY) return true;
    if ((this.#takenByEntry.get(entry) ?? 0) >= this.#max) return false;
    this.#add(entry, connection, 1);
    return true;
  }

  /** Without `places`, all that it has. */
  giveBack(entry: LiveEntry, connection: object, places = Number.POSITIVE_INFINITY): void {
    const taken = this.#takenByConnection.get(connection);
    if (taken) this.#add(entry, connection, -Math.min(taken, places));
  }

  #add(entry: LiveEntry, connection: object, places: number): void {
    this.#takenByEntry.set(entry, (this.#takenByEntry.get(entry) ?? 0) + places);
    this.#takenByConnection.set(connection, (this.#takenByConnection.get(connection) ?? 0) + places);
  }
}
