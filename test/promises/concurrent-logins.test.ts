/** `sessionsPerUser` where a user logs in on several nodes at the same time: in this process, and in processes of their own. */
import type { SessionsPerUser } from "socket-session";
import { afterEach, expect, test } from "vitest";
import type { Browser } from "../support/browser.ts";
import { closeWorlds, endOldest, isIn, post, refuse, startCapped } from "../support/capped-world.ts";
import { describeKinds, storeKinds } from "../support/matrix.ts";
import { startNodes } from "../support/node-process.ts";
import { redisCluster, sharedStores } from "../support/shared-stores.ts";

afterEach(closeWorlds);

const modes = [
  ["refuse", refuse(3)],
  ["endOldest", endOldest(3)],
] as const;

/** Two rounds of 12 logins at the same time: after each, exactly `max` of all browsers are in, which were told so. */
async function expectExactly(
  max: number,
  nodes: readonly { browser(): Browser }[],
  { whenFull }: SessionsPerUser,
): Promise<void> {
  const toldIn: Browser[] = [];
  for (let round = 1; round <= 2; round++) {
    const browsers = nodes.flatMap((node) => Array.from({ length: 12 / nodes.length }, () => node.browser()));
    const answers = await Promise.all(browsers.map((one) => post(one, "/new-login", { userId: "ada" })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
    if (whenFull === "endOldest") expect(statuses).not.toContain(409);
    const refused = browsers.filter((_browser, n) => statuses[n] === 409);
    toldIn.push(...browsers.filter((_browser, n) => statuses[n] === 200));
    expect((await Promise.all(refused.map(isIn))).filter(Boolean)).toEqual([]);
    expect((await Promise.all(toldIn.map(isIn))).filter(Boolean)).toHaveLength(max);
  }
}

const listing = storeKinds.filter(({ feed }) => feed);

describeKinds(
  "three nodes",
  ({ open }) => {
    test.each(modes)("%s: 12 logins at the same time leave exactly three", async (_mode, cap) => {
      const store = open();
      const nodes = await Promise.all([1, 2, 3].map(() => startCapped(store, cap)));
      await expectExactly(3, nodes, cap);
      expect(await nodes[0]?.sessions.user("ada").list()).toHaveLength(3);
      expect(nodes.flatMap(({ errors }) => errors)).toEqual([]);
    });
  },
  listing,
);

for (const store of [...sharedStores, redisCluster]) {
  store.describe(`three processes that share ${store.name}`, { timeout: 60_000 }, () => {
    test.each(modes)("%s: 12 logins at the same time leave exactly three", async (_mode, cap) => {
      const { address, clear } = store.open();
      const setting = { store: address, options: { sessionsPerUser: cap } };
      const nodes = await startNodes([setting, setting, setting]);
      try {
        await expectExactly(3, nodes, cap);
        expect(nodes.flatMap(({ errors, complaints }) => [...errors, ...complaints])).toEqual([]);
      } finally {
        await Promise.all(nodes.map((node) => node.close()));
        await clear();
      }
    });
  });
}
