/** Which ends this node reports as its own: of several nodes that end a session, one. */
import { describe, expect, test } from "vitest";
import { oneNode } from "./one-node.ts";

describe("an end by this node", () => {
  const mine = { reason: "revoked", by: { by: "application" } };

  test("is its own if the store had the session, also if the feed reports it before the answer comes", async () => {
    const on = await oneNode();
    on.handshake();
    await on.store.finish();
    const ending = on.hub.end(on.key, "revoked");
    await on.store.do("destroy");
    await on.store.deliver();
    expect(on.ends).toEqual([[on.key.publicId, mine]]);
    await on.store.answer("destroy");
    expect(await ending).toBe(true);
    expect(on.ends).toHaveLength(1);
  });

  test("is not its own if another node had ended the session before", async () => {
    const on = await oneNode();
    on.handshake();
    await on.store.finish();
    await on.elsewhere.logout();
    const ending = on.hub.end(on.key, "revoked");
    await on.store.do("destroy");
    await on.store.answer("destroy");
    expect(await ending).toBe(false);
    expect(on.ends).toEqual([[on.key.publicId, { reason: "revoked" }]]);
  });
});
