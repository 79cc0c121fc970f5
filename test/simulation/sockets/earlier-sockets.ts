/**
 * The sockets that clients of one node had, and whose pids may be known: a client that comes again asks for its own, an
 * intruder, with a session of its own, for another's. Either may have only a part of a pid, or one that is in use.
 */
import type { Random } from "../world/random.ts";
import type { SocketRecord } from "./socket-record.ts";

const mostKept = 30;

export class EarlierSockets {
  readonly #random: Random;
  #records: SocketRecord[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Has a new socket ask for an earlier one, if there is any. */
  resume(record: SocketRecord): void {
    const isOwn = this.#random.chance(0.7);
    const isInUse = this.#random.chance(0.1);
    const isCut = this.#random.chance(0.05);
    const earlier = this.#records.findLast(
      ({ sid, namespace, canBeResumed, isAway }) =>
        canBeResumed &&
        namespace === record.namespace &&
        (sid === record.sid) === isOwn &&
        isAway !== isInUse,
    );
    if (earlier) record.resume(earlier, isCut);
    this.#records = [...this.#records.slice(1 - mostKept), record];
  }
}
