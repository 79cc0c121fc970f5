/** Tickets over each simulated database: one taker at most, also where answers get lost and drivers send commands again. */
import { describe, expect, it } from "vitest";
import { databaseKinds } from "./kinds.ts";
import { play, type Scene, type SceneNode } from "./scene.ts";

const ids = Array.from({ length: 30 }, (_, n) => `ticket ${n}`);

/** What each node got of each ticket: a value, null, or undefined if the operation failed. */
async function taken(scene: Scene, nodes: readonly SceneNode[]): Promise<(string | null | undefined)[][]> {
  const takes = ids.map((id) =>
    Promise.allSettled(nodes.map(async ({ store }) => (await store.takeTicket?.(id)) ?? null)),
  );
  const outcomes = await scene.done(Promise.all(takes));
  return outcomes.map((all) =>
    all.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : undefined)),
  );
}

async function putAll(scene: Scene, { store }: SceneNode): Promise<void> {
  for (const id of ids)
    await scene.done(Promise.resolve(store.putTicket?.(id, `of ${id}`, scene.later(60_000))));
}

const values = (outcomes: readonly (string | null | undefined)[]) =>
  outcomes.filter((one) => typeof one === "string");

describe.each(databaseKinds)("$name", (kind) => {
  it("gives each ticket to one of several processes", async () => {
    await play(kind, 1, async (scene) => {
      const nodes = ["a", "b", "c"].map((name) => scene.start(name));
      await putAll(scene, scene.start("maker"));
      for (const [n, outcomes] of (await taken(scene, nodes)).entries())
        expect(values(outcomes)).toEqual([`of ${ids[n]}`]);
    });
  });

  it.each([2, 3, 4])("gives none twice where answers get lost, seed %d", async (seed) => {
    await play(kind, seed, async (scene) => {
      const nodes = ["a", "b", "c"].map((name) => scene.start(name, { lostReplies: 0.2 }));
      await putAll(scene, scene.start("maker"));
      const rounds = [await taken(scene, nodes), await taken(scene, nodes)];
      for (const [n, id] of ids.entries()) {
        const got = values(rounds.flatMap((round) => round[n] ?? []));
        expect([[], [`of ${id}`]]).toContainEqual(got);
      }
    });
  });
});
