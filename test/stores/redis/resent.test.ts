/** Commands that ioredis sends a second time, because the first answer was lost: from each state of its connection. */
import { once } from "node:events";
import { Cluster, Redis } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import * as scripts from "../../../src/stores/redis/scripts.ts";
import { withService } from "../../setup/services.ts";
import { type CountingProxy, countingProxy } from "../counting-proxy.ts";
import { keyOf } from "../session-keys.ts";
import { clientForTest, newPrefix, rawClient, storeForTest } from "./clients.ts";

const key = keyOf("a session");
const later = () => Date.now() + 3_600_000;
const document = (n: number) => ({ cookie: {}, n });
const loaded = [scripts.createScript, scripts.replaceScript, scripts.destroyScript, scripts.readScript];

const one = withService("redis");
one.describe("ioredis, one server", () => {
  let proxy: CountingProxy;
  let prefix: string;
  let witness: SessionStore;
  let revision: string;

  beforeEach(async () => {
    proxy = await countingProxy(one.url);
    prefix = newPrefix();
    witness = storeForTest({ client: await clientForTest("ioredis", one.url), prefix });
    revision = String(await witness.create(key, document(1), later()));
    for (const { text } of loaded) await rawClient(one.url).script("LOAD", text);
    onTestFinished(async () => {
      await witness.clear?.();
    });
  });

  const states: Record<string, (client: Redis) => Promise<unknown>> = {
    ready: (client) => client.connect(),
    wait: async () => {},
    connecting: async (client) => {
      client.connect().catch(() => {}); // cut by the test
    },
    connect: async (client) => {
      const connected = once(client, "connect");
      client.connect().catch(() => {}); // cut by the test
      await connected;
    },
    reconnecting: async (client) => {
      await client.connect();
      const reconnecting = once(client, "reconnecting");
      client.disconnect(true);
      await reconnecting;
    },
  };

  describe.each(Object.keys(states))("%s when the command is sent", (state) => {
    let store: SessionStore;

    beforeEach(async () => {
      const client = new Redis(proxy.url, { lazyConnect: true, retryStrategy: () => 20 });
      client.on("error", () => {});
      onTestFinished(() => client.disconnect());
      await states[state]?.(client);
      expect(client.status).toBe(state);
      store = storeForTest({ client, prefix });
    });

    it("does not take its own write for another's", async () => {
      proxy.loseNextAnswer("evalsha");
      await expect(store.replace(key, revision, document(2), later())).rejects.toMatchObject({
        code: "STORE_FAILED",
      });
      expect((await witness.read(key))?.document.n, "done, once").toBe(2);
    });

    it("recognises another's write, if no answer was lost", async () => {
      expect(await store.replace(key, "another", document(2), later())).toBeNull();
      expect(await store.destroy(keyOf("never"), "revoked")).toBe(false);
    });

    it("knows that it has ended the session", async () => {
      proxy.loseNextAnswer("evalsha");
      expect(await store.destroy(key, "revoked")).toBe(true);
      expect(await witness.read(key)).toBeNull();
    });

    it("does not create a session again that has ended since", async () => {
      const another = keyOf("another session");
      let ended = false;
      proxy.loseNextAnswer("evalsha", async () => {
        ended = await witness.destroy(another, "destroyed");
      });
      await expect(store.create(another, document(1), later())).rejects.toMatchObject({
        code: "STORE_FAILED",
      });
      expect(ended, "it was made by the first").toBe(true);
      expect(await witness.read(another)).toBeNull();
    });
  });
});

const cluster = withService("redis-cluster");
cluster.describe("ioredis, a Cluster", () => {
  const prefix = newPrefix();
  let proxies: CountingProxy[];
  let natMap: Record<string, { host: string; port: number }>;
  let witness: SessionStore;
  let revision: string;

  beforeEach(async () => {
    const direct = await clientForTest("ioredis", cluster.url);
    const urls = cluster.url.split(",");
    proxies = await Promise.all(urls.map((url) => countingProxy(url)));
    const ports = proxies.map(({ url }) => Number(new URL(url).port));
    natMap = Object.fromEntries(
      urls.map((url, at) => [new URL(url).host, { host: "127.0.0.1", port: ports[at] ?? 0 }]),
    );
    witness = storeForTest({ client: direct, prefix });
    revision = String(await witness.create(key, document(1), later()));
    for (const url of urls) for (const { text } of loaded) await rawClient(url).script("LOAD", text);
    onTestFinished(async () => {
      await witness.clear?.();
    });
  });

  describe.each(["connecting", "ready", "used"])("%s when the command is sent", (state) => {
    let store: SessionStore;

    beforeEach(async () => {
      // ioredis looks for a node that has MOVED by the address before the natMap, and then tries any, till it is the one.
      const client = new Cluster(Object.values(natMap), { natMap, maxRedirections: 200 });
      client.on("error", () => {});
      onTestFinished(() => client.disconnect());
      store = storeForTest({ client, prefix });
      if (state !== "connecting") await once(client, "ready");
      if (state === "used") await store.read(key);
    });

    const loseNextAnswer = () => {
      for (const proxy of proxies) proxy.loseNextAnswer("evalsha");
    };

    it("does not take its own write for another's", async () => {
      loseNextAnswer();
      await expect(store.replace(key, revision, document(2), later())).rejects.toMatchObject({
        code: "STORE_FAILED",
      });
      expect((await witness.read(key))?.document.n, "done, once").toBe(2);
    });

    it("recognises another's write, if no answer was lost", async () => {
      expect(await store.replace(key, "another", document(2), later())).toBeNull();
      expect(await store.destroy(keyOf("never"), "revoked")).toBe(false);
    });

    it("knows that it has ended the session", async () => {
      loseNextAnswer();
      expect(await store.destroy(key, "revoked")).toBe(true);
      expect(await witness.read(key)).toBeNull();
    });
  });
});
