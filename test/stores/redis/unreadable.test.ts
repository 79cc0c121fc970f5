/** What can't be read, beyond what the suite writes: keys of another kind, and what an application's serializer gives. */
import createDebug from "debug";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { RedisNames } from "../../../src/stores/redis/keys.ts";
import { withService } from "../../setup/services.ts";
import type { ClientPackage } from "../../support/redis-clients.ts";
import { keyOf } from "../session-keys.ts";
import { clientForTest, newPrefix, rawClient, storeForTest } from "./clients.ts";

const packages: ClientPackage[] = ["redis", "ioredis"];
const server = withService("redis");
const [good, bad, list] = [keyOf("good"), keyOf("bad"), keyOf("list")];
const document = { cookie: {}, n: 1 };
const later = () => Date.now() + 3_600_000;

afterEach(() => createDebug.disable());

server.describe.each(packages)("an unreadable session, %s", (from) => {
  let store: SessionStore;
  let raw: Redis;
  let prefix: string;

  beforeEach(async () => {
    prefix = newPrefix();
    store = storeForTest({ client: await clientForTest(from, server.url), prefix });
    raw = rawClient(server.url);
    for (const key of [good, bad, list]) await store.create(key, document, later(), "ada");
    await raw.del(`${prefix}${list.sid}`);
    await raw.rpush(`${prefix}${list.sid}`, "of another kind");
    onTestFinished(async () => {
      await store.clear?.();
      await store.listByUser?.("ada");
    });
  });

  it("is listed where it is a key of another kind, and can be ended", async () => {
    const found = (await store.listByUser?.("ada")) ?? [];
    expect(found).toHaveLength(3);
    expect(found.find(({ sid }) => sid === list.sid)?.stored).toBeNull();
    await expect(store.read(list)).rejects.toThrow(/WRONGTYPE/);
    expect(await store.destroy(list, "revoked")).toBe(true);
    expect(await store.listByUser?.("ada")).toHaveLength(2);
  });

  it("makes a write fail as well, which finds a key of another type", async () => {
    const failure: unknown = await store
      .replace(list, "a revision", document, later(), "ada")
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "SESSION_UNREADABLE",
      message: expect.stringMatching(/WRONGTYPE/),
    });
  });

  it("is not one whose user's index is of another type", async () => {
    const { revision } = (await store.read(good)) ?? {};
    const index = new RedisNames(prefix).index("ada");
    for (const key of index) await raw.set(key, "of another kind");
    const other = storeForTest({ client: await clientForTest(from, server.url), prefix });
    const failure: unknown = await other
      .replace(good, revision ?? "", document, later(), "ada")
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toMatchObject({ code: "SESSION_UNREADABLE" });
    await raw.del(...index);
  });

  const throwing = () => {
    throw new Error("s3cret");
  };
  it.each([
    ["throws when it is looked at", () => new Proxy(document, { ownKeys: throwing })],
    [
      "has a cookie that throws",
      () => Object.defineProperty({}, "cookie", { enumerable: true, get: throwing }),
    ],
    ["holds what JSON has not", () => ({ ...document, n: 1n })],
    ["has a toJSON that throws", () => ({ ...document, toJSON: throwing })],
  ])("is one for which a serializer %s", async (_what, parse) => {
    const other = storeForTest({
      client: await clientForTest(from, server.url),
      prefix,
      serializer: { stringify: JSON.stringify, parse },
    });
    const failure: unknown = await other.read(good).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "SESSION_UNREADABLE" });
    expect(String(failure)).not.toContain("s3cret");
    expect(await other.all?.()).toEqual({});
    expect(await other.listByUser?.("ada")).toHaveLength(3);
    expect(await other.destroy(good, "revoked")).toBe(true);
  });

  it("is left out of all sessions, which a debug line reports without its id or content", async () => {
    await raw.set(`${prefix}${bad.sid}`, "s3cret", "KEEPTTL");
    const lines: string[] = [];
    const { log } = createDebug;
    createDebug.log = (...args: unknown[]) => lines.push(args.map(String).join(" "));
    onTestFinished(() => {
      createDebug.log = log;
    });
    createDebug.enable("socket-session:store");
    expect(await store.all?.()).toEqual({ [good.sid]: document });
    const said = lines.filter((line) => line.includes("can't be read"));
    expect(said).toHaveLength(2);
    for (const line of said) expect(line).not.toMatch(/s3cret|\bbad\b|\blist\b/);
  });

  it("is not the error of a server that can't be reached", async () => {
    const client = await clientForTest(from, server.url);
    const other = storeForTest({ client, prefix });
    const [asking, listing] = [other.all?.(), other.listByUser?.("ada")];
    Reflect.apply(Reflect.get(client, from === "redis" ? "destroy" : "disconnect"), client, []);
    await expect(asking).rejects.toThrow();
    await expect(listing).rejects.toThrow();
  });
});
