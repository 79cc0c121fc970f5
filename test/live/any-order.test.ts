/** Operations of a node and of others, with answers and messages in any order: no old version is left when all have arrived. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SocketSessionError } from "../../src/base/errors.ts";
import type { Snapshot } from "../../src/data/snapshot.ts";
import { settle } from "../support/manual-clock.ts";
import { type OneNode, oneNode } from "./one-node.ts";

/** A socket, or a request's handle. */
interface Holder {
  readonly what: string;
  isEnded(): boolean;
  data(): unknown;
  release(): void;
}

/** What can happen next, besides the next step of what is on its way. */
function actionsOf(on: OneNode, holders: Holder[], background: Promise<unknown>[]) {
  let seed: Snapshot | undefined;
  let n = 1;
  const start = (work: Promise<unknown>) =>
    void background.push(
      work.catch((error: unknown) => {
        if (!(error instanceof SocketSessionError && error.code === "SESSION_ENDED")) throw error;
      }),
    );
  const connect = async () => {
    const { entry, observer, admitted } = on.handshake();
    const release = () => on.hub.release(entry, observer);
    if ((await admitted) === null) release();
    else
      holders.push({
        what: "socket",
        isEnded: () => entry.isEnded,
        data: () => entry.snapshot?.data,
        release,
      });
  };
  const load = async () => {
    seed = (await on.request()) ?? seed;
  };
  const update = () =>
    on.updates.update(on.key, (draft) => {
      n += 1;
      draft.n = n;
    });
  const actions: ((by: number) => unknown)[] = [
    () => start(load()),
    () => {
      if (!seed) return;
      const { one } = on.handle(seed);
      const isEnded = () => one.state === "ended";
      holders.push({ what: "handle", isEnded, data: () => one.data, release: () => one.release() });
    },
    () => start(connect()),
    () => start(update()),
    () => {
      n += 1;
      return on.elsewhere.write({ n });
    },
    (by) => (by % 4 === 0 ? on.elsewhere.logout() : undefined),
    (by) => holders.splice(by % Math.max(holders.length, 1), 1)[0]?.release(),
    (by) => on.clock.advance(by % 200),
  ];
  return (by: number) => actions[by % actions.length]?.(Math.floor(by / actions.length));
}

async function play(moves: readonly (readonly [number, number])[]) {
  const on = await oneNode();
  const holders: Holder[] = [];
  const background: Promise<unknown>[] = [];
  const act = actionsOf(on, holders, background);
  for (const [chance, by] of moves) {
    const { choices } = on.store;
    if (chance < 60 && choices > 0) await on.store.take(by % choices);
    else await act(by);
    await settle();
  }
  for (let round = 0; round < 3; round++) {
    await on.store.finish();
    await on.clock.advance(200);
  }
  await on.store.finish();
  await Promise.all(background);
  return { on, holders };
}

test("once everything settles, each live session is stored, and its snapshot is the stored version", async () => {
  const moves = fc.array(fc.tuple(fc.nat(99), fc.nat(1_000)), { minLength: 40, maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(moves, async (some) => {
      const { on, holders } = await play(some);
      const now = await on.database.read(on.key);
      for (const { what, isEnded, data, release } of holders) {
        expect([what, isEnded()]).toEqual([what, now === null]);
        if (now) expect([what, { ...now.document, ...Object(data()) }]).toEqual([what, now.document]);
        release();
      }
      expect(on.hub.counts).toMatchObject({ live: 0, timers: 0, locks: 0 });
      expect(on.errors).toEqual([]);
    }),
    { numRuns: 1_500 },
  );
}, 120_000);
