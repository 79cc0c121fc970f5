/** Life times that options may give: a Date has to hold when the session ends. */
import session from "express-session";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { mongodbStore } from "socket-session/mongodb";
import { postgresStore } from "socket-session/postgres";
import { redisStore } from "socket-session/redis";
import { signIn } from "socket-session/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { maxLifeMs } from "../../src/data/life-time.ts";
import { secret, startWorld } from "../support/world.ts";

const build = (options: object) => {
  const sessions = liveSessions({ store: memoryStore(), secret, ...options });
  onTestFinished(() => sessions.close());
  return sessions;
};
const pool = { query() {}, Client: class {} };

describe("a life time that no Date can hold is refused", () => {
  const longestSeconds = maxLifeMs / 1_000;
  test.each<[string, number, (value: number) => unknown]>([
    ["ttlMs", maxLifeMs, (ttlMs) => build({ ttlMs })],
    ["cookie.maxAge", maxLifeMs, (maxAge) => build({ cookie: { maxAge } })],
    ["cookie.originalMaxAge", maxLifeMs, (originalMaxAge) => build({ cookie: { originalMaxAge } })],
    ["ttlMs of a store", maxLifeMs, (ttlMs) => build({ store: Object.assign(memoryStore(), { ttlMs }) })],
    ["maxAge of signIn", maxLifeMs, (maxAge) => signIn(build({}), {}, { maxAge })],
    ["ttl of postgresStore", longestSeconds, (ttl) => postgresStore({ pool, ttl } as never)],
    ["ttl of redisStore", longestSeconds, (ttl) => redisStore({ client: {}, ttl } as never)],
    [
      "ttl of mongodbStore",
      longestSeconds,
      (ttl) => mongodbStore({ client: { db: () => ({}) }, ttl } as never),
    ],
  ])("%s", async (_name, longest, give) => {
    const messageOf = async (value: number): Promise<unknown> => {
      try {
        await give(value);
        return "accepted";
      } catch (error) {
        return error instanceof Error ? error.message : error;
      }
    };
    for (const value of [longest * 1.01, 9e15, 1e300]) {
      const message = await messageOf(value);
      expect(message).toContain(String(longest));
      expect(message).toMatch(new RegExp(`it (was|is) ${String(value).replace("+", "\\+")}`));
    }
    expect(await messageOf(longest)).not.toContain(String(longest));
  });
});

test("the defaults follow", () => {
  build({ revalidateIntervalMs: maxLifeMs });
});

test("a cookie of the longest life is sent, and its session is kept", async () => {
  const world = await startWorld({ cookie: { maxAge: maxLifeMs }, ttlMs: maxLifeMs });
  onTestFinished(() => world.close());
  const ada = await world.visitor({ name: "ada" });
  expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
  await ada.connect();
});

test("a wrapped store's own ttl beyond it counts as the longest", async () => {
  const store = Object.assign(new session.MemoryStore(), { ttl: 1e300 });
  const world = await startWorld({ store });
  onTestFinished(() => world.close());
  await (await world.visitor()).connect();
  expect(world.errors).toEqual([]);
});
