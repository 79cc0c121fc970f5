import { ManualClock } from "../support/manual-clock.ts";

/** A clock that an administrator sets back while timers go on, as Node's do. */
export class SetBackClock extends ManualClock {
  #behindMs = 0;

  override now(): number {
    return super.now() - this.#behindMs;
  }

  setBack(ms: number): void {
    this.#behindMs += ms;
  }
}
