/**
 * One of four nodes that share a database. The first ends sessions and waits for the receipts; the second answers bare
 * messages.
 */
import { signIn } from "socket-session/testing";
import { startWorld } from "../../test/support/world.ts";
import { type BareSessions, bareFeedOf } from "../end-to-close/bare-feeds.ts";
import { type Place, storeAt } from "../end-to-close/places.ts";
import { answerTo, argumentOf } from "../run/worker.ts";

export interface NodeSetting {
  readonly place: Place;
  readonly number: number;
}

const { place, number } = argumentOf<NodeSetting>();
const world = await startWorld({ store: await storeAt(place), nodeName: `node ${number}` });
const bare = bareFeedOf(place);
const replies = new Map<string, () => void>();
let bareSessions: BareSessions | undefined;
if (number === 2)
  await bare.subscribe(place, (text) => {
    if (!text.startsWith("reply ")) void bareSessions?.publish(`reply ${text}`);
  });
if (number === 1) await bare.subscribe(place, (text) => replies.get(text)?.());
if (number <= 2) bareSessions = await bare.open(place);

/** Runs one after another, and resolves to the milliseconds that each took. */
async function timed(ids: readonly string[], run: (id: string) => Promise<void>): Promise<number[]> {
  const all: number[] = [];
  for (const id of ids) {
    const begun = performance.now();
    await run(id);
    all.push(performance.now() - begun);
  }
  return all;
}

const answers = {
  async isReady() {
    const { feed } = world.sessions.stats().store;
    return feed === "whole" && world.errors.length === 0;
  },
  url: async () => world.url,
  logIn: (count: number) =>
    Promise.all(Array.from({ length: count }, () => signIn(world.sessions, { name: "ada" }))),
  /** Each session has one socket, on another node. */
  endWithReceipts: (sids: readonly string[]) =>
    timed(sids, async (sid) => {
      const { ended, nodes, unanswered } = await world.sessions.end(sid, { receipt: true });
      const sockets = nodes.reduce((sum, one) => sum + one.sockets, 0);
      if (ended && nodes.length === 4 && unanswered.length === 0 && sockets === 1) return;
      throw new Error(
        `Expected a receipt of four nodes and one socket: ${JSON.stringify({ nodes, unanswered })}`,
      );
    }),
  /** Removes a record and publishes that, until the second node's reply. */
  async bareRoundTrips(ids: readonly string[]) {
    const sessions = bareSessions;
    if (!sessions) throw new Error("Expected the first node to make them.");
    for (const id of ids) await sessions.create(id);
    return timed(ids, async (id) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      replies.set(`reply ${id}`, resolve);
      await Promise.all([sessions.end(id), promise]);
      replies.delete(`reply ${id}`);
    });
  },
};
export type NodeAnswers = typeof answers;

answerTo(answers);
