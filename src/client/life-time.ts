import { isSameTime } from "./snapshot.ts";

/** The longest delay of a timer. */
const longestMs = 2 ** 31 - 1;
/** By how much clock and monotonic time may move apart before the computer is taken to have slept. */
const toleratedMs = 2_000;

const aheadMs = () => Date.now() - performance.now();

/**
 * The time left of the session, by `performance.now()`: a clock that is wrong, or is set, makes no difference. While a
 * computer sleeps that time may stand still, and afterwards the clock has jumped.
 *
 * `onDue`: no more than `warnMs` are left, for the first time with this deadline. `onDoubt`: the computer has slept, or its clock was
 * set, and only the server knows how much time is left.
 */
export function lifeTime(warnMs: number, onDue: () => void, onDoubt: () => void) {
  let endsAt: number | undefined;
  let knownAheadMs = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isDue = false;

  /** Notices a sleep. A jump ahead of the clock is taken for one until the server has answered. */
  function check(): void {
    const jumpMs = aheadMs() - knownAheadMs;
    if (endsAt === undefined || Math.abs(jumpMs) < toleratedMs) return;
    knownAheadMs += jumpMs;
    endsAt -= Math.max(0, jumpMs);
    wait();
    queueMicrotask(onDoubt); // not while a page draws itself
  }

  /** In milliseconds, 0 at the least; undefined if it is not known. */
  function left(): number | undefined {
    check();
    return endsAt && Math.max(0, endsAt - performance.now());
  }

  function wait(): void {
    clearTimeout(timer);
    const leftMs = left();
    if (leftMs === undefined || isDue) return;
    timer = setTimeout(look, Math.min(leftMs - warnMs, longestMs));
  }

  function look(): void {
    isDue = (left() ?? 0) <= warnMs;
    if (isDue) onDue();
    else wait(); // the timer was shorter
  }

  return {
    check,
    left,
    isDue: () => isDue,

    /** Undefined if there is no session, or its end is not known. */
    set(leftMs: number | undefined): void {
      const last = endsAt;
      endsAt = leftMs && performance.now() + leftMs;
      knownAheadMs = aheadMs();
      if (!isSameTime(last, endsAt)) isDue = false;
      wait();
    },
  };
}
