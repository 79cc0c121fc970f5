import { expect, test } from "vitest";
import { fieldsOf } from "../../src/data/fields.ts";
import { Activity } from "../../src/session/activity.ts";
import { oneNode } from "../live/one-node.ts";

const life = 3_600_000;

async function node() {
  const on = await oneNode();
  const activity = new Activity(on.hub, on.saves, {
    touchIntervalMs: 60_000,
    ttlMs: life,
    absoluteMs: Number.POSITIVE_INFINITY,
    userOf: () => undefined,
  });
  const request = (maxAge: number) => {
    const cookie = { originalMaxAge: maxAge, expires: null };
    return activity.onRequest(on.key, {
      cookie,
      fields: fieldsOf({ n: 1 }),
      expiresAt: on.clock.now() + life / 2,
    });
  };
  return { ...on, activity, request };
}

test("concurrent requests make one touch, even if express-session has lost a millisecond of the life", async () => {
  const { store, activity, request } = await node();
  const requests = [request(life), request(life - 1), request(life)];
  await store.finish();
  expect(await Promise.all(requests)).toEqual([true, undefined, undefined]);
  expect(activity.touches).toBe(1);
});

test("a shortened life applies from then on", async () => {
  const { store, activity, request } = await node();
  const requests = [request(life), request(life * 0.8)];
  await store.finish();
  await Promise.all(requests);
  expect(activity.touches).toBe(2);
});
