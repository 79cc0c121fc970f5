/** The places of a session's sockets, without any: who is asked for an answer, and that none is lost. With sockets: `socket-limit.test.ts`. */
import { expect, test } from "vitest";
import { LiveEntry } from "../../src/live/live-entry.ts";
import { type Holder, SocketLimit } from "../../src/socket/socket-limit.ts";
import { nameOf } from "../live/live-set.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";

function open(max: number) {
  const clock = new ManualClock();
  const limit = new SocketLimit(max, clock);
  const entry = new LiveEntry(nameOf("ada's"), 0);
  return {
    clock,
    take: (holder: Holder) => limit.take(entry, holder),
    giveBack: (holder: Holder, count?: number) => limit.giveBack(entry, holder, count),
    freed: () => limit.freed(entry),
    /** A connection that has taken a place, if it could, and answers only when the test says so. */
    connection() {
      const answers: (() => void)[] = [];
      const holder = {
        asked: 0,
        isClosed: false,
        ask(answered: () => void) {
          this.asked++;
          answers.push(answered);
        },
        answer() {
          for (const answered of answers.splice(0)) answered();
        },
        close() {
          this.isClosed = true;
          limit.giveBack(entry, this);
        },
      };
      limit.take(entry, holder);
      return holder;
    },
  };
}

test("clients that have answered keep their places, and are not asked again for 5 s", async () => {
  const { clock, freed, connection } = open(2);
  const [first, second] = [connection(), connection()];
  const outcome = freed();
  first.answer();
  second.answer();
  expect(await outcome).toBe(false);
  await clock.advance(4_999);
  expect(await freed()).toBe(false);
  expect([first.asked, second.asked]).toEqual([1, 1]);
  await clock.advance(1);
  const again = freed();
  expect([first.asked, second.asked]).toEqual([2, 2]);
  await clock.advance(4_999); // the time-out of the first time must not close them
  first.answer();
  second.answer();
  expect(await again).toBe(false);
  await clock.advance(5_000);
  expect([first.isClosed, second.isClosed]).toEqual([false, false]);
  expect(clock.pending).toBe(0);
});

test("those that do not answer are closed, and no others", async () => {
  const { clock, take, freed, connection } = open(3);
  const [first, second, third] = [connection(), connection(), connection()];
  const outcomes = [freed(), freed()];
  second.answer();
  await clock.advance(5_000);
  expect(await Promise.all(outcomes)).toEqual([true, true]);
  expect([first.isClosed, second.isClosed, third.isClosed]).toEqual([true, false, true]);
  expect([take(first), take(third), take(third)]).toEqual([true, true, false]);
});

test("a place that is given back wakes those who wait; the others go on waiting for the answers", async () => {
  const { take, giveBack, freed, connection } = open(2);
  const [first, second] = [connection(), connection()];
  const outcomes = [freed(), freed()];
  giveBack(first);
  expect(await Promise.all(outcomes)).toEqual([true, true]);
  expect(take(connection())).toBe(false);
  const last = freed();
  second.answer();
  expect(await last).toBe(false);
});

test("no more clients wait than there are places", async () => {
  const { freed, connection } = open(2);
  const [first, second] = [connection(), connection()];
  const waiting = [freed(), freed()];
  expect(await freed()).toBe(false);
  first.answer();
  second.answer();
  expect(await Promise.all(waiting)).toEqual([false, false]);
});

test("whatever connections do, no place is lost and none is made", async () => {
  for (let seed = 1; seed <= 200; seed++) {
    let state = seed;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor(state / 65_536) % below;
    };
    const max = 1 + random(5);
    const { clock, take, giveBack, freed, connection } = open(max);
    const all = Array.from({ length: 6 }, connection);
    for (const one of all) giveBack(one);
    const taken = new Map<object, number>();
    const count = () => [...taken.values()].reduce((sum, one) => sum + one, 0);
    for (let step = 0; step < 60; step++) {
      const one = all[random(all.length)] ?? connection();
      const own = taken.get(one) ?? 0;
      const action = random(6);
      if (action < 3) {
        const isTaken = take(one);
        expect(isTaken, `seed ${seed}`).toBe(count() < max);
        if (isTaken) taken.set(one, own + 1);
        else void freed();
      } else if (action === 3) {
        giveBack(one, 1);
        taken.set(one, Math.max(0, own - 1));
      } else if (action === 4) {
        giveBack(one);
        taken.delete(one);
      } else if (random(2) === 0) one.answer();
      else {
        for (const each of all) each.isClosed = false;
        await clock.advance(random(6_000));
        for (const each of all) if (each.isClosed) taken.delete(each);
      }
    }
    for (const one of all) giveBack(one);
    await settle();
    const fresh = connection();
    giveBack(fresh);
    expect(Array.from({ length: max + 1 }, () => take(fresh)).filter(Boolean), `seed ${seed}`).toHaveLength(
      max,
    );
  }
});
