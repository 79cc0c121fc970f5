/** A server that accepts connections and answers none of them: the feed's connections to it don't stay. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { connectionOf } from "../../../src/stores/redis/client.ts";
import type { RedisNode } from "../../../src/stores/redis/connection.ts";
import type { RedisStoreOptions } from "../../../src/stores/redis/store.ts";
import { withService } from "../../setup/services.ts";
import type { ClientPackage } from "../../support/redis-clients.ts";
import { Heard, openFeed } from "../heard.ts";
import { clientForTest, newPrefix, rawClient, storeForTest } from "./clients.ts";

const packages: ClientPackage[] = ["redis", "ioredis"];
const service = withService("redis");
const feedOptions = { heartbeatMs: 50 };
/** ioredis gives a server that does not say goodbye two seconds. */
const patient = { timeout: 5000, interval: 5 };

interface MuteServer {
  readonly url: string;
  /** Connections that were made since it is mute, and those of them that are open. */
  readonly made: number;
  readonly open: number;
  mute(): void;
  /** The connections that there are get no more answers; new ones do. */
  freeze(): void;
}

/** Passes on to a real one until it is mute; new connections then get not even an answer to a goodbye. */
async function muteServer(): Promise<MuteServer> {
  const { hostname, port } = new URL(service.url);
  const sockets = new Set<Socket>();
  const muted = new Set<Socket>();
  const pairs: [near: Socket, far: Socket][] = [];
  let isMute = false;
  let made = 0;
  const server = createServer({ allowHalfOpen: true }, (near) => {
    sockets.add(near.on("error", () => {}));
    if (isMute) {
      made += 1;
      muted.add(near.resume().on("close", () => muted.delete(near)));
      return;
    }
    const far = connect(Number(port), hostname).on("error", () => {});
    sockets.add(far);
    near.pipe(far).pipe(near);
    near.on("close", () => far.destroy()); // one that was reset ends no pipe
    pairs.push([near, far]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get made() {
      return made;
    },
    get open() {
      return [...muted].filter((socket) => !socket.readableEnded).length;
    },
    mute() {
      isMute = true;
    },
    freeze() {
      for (const [near, far] of pairs) far.unpipe(near);
    },
  };
}

service.describe.each(packages)("a server that never answers, %s", (from) => {
  let server: MuteServer;
  let client: RedisStoreOptions["client"];

  beforeEach(async () => {
    server = await muteServer();
    client = await clientForTest(from, server.url);
    expect(await storeForTest({ client }).read({ sid: "a", publicId: "p", publicIds: ["p"] })).toBeNull();
  });

  it("keeps no connection of an attempt that has failed", async () => {
    const store = storeForTest({ client, prefix: newPrefix() });
    server.mute();
    for (let attempt = 0; attempt < 3; attempt += 1)
      await expect(openFeed(store, feedOptions)).rejects.toMatchObject({
        code: "STORE_TIMEOUT",
      });
    expect(server.made).toBe(3);
    await vi.waitFor(() => expect(server.open).toBe(0), patient);
  });

  it("keeps none that was being opened when the store was closed", async () => {
    const store = storeForTest({ client, prefix: newPrefix() });
    server.mute();
    const listening = store.changes?.(new Heard(), { heartbeatMs: 60_000 });
    const refused = expect(listening).rejects.toThrow("closed");
    await vi.waitFor(() => expect(server.open).toBe(1), patient);
    await store.close();
    await refused;
    await vi.waitFor(() => expect(server.open).toBe(0), patient);
  });

  it("keeps no open connection that waits for the client's requests", async () => {
    const prefix = newPrefix();
    const store = storeForTest({ client, prefix });
    const raw = rawClient(service.url);
    const subscribers = async () => Number((await raw.pubsub("NUMSUB", `socket-session:${prefix}`))[1]);
    server.freeze();
    const listening = store.changes?.(new Heard(), { heartbeatMs: 60_000 });
    const refused = expect(listening).rejects.toThrow("closed");
    await vi.waitFor(async () => expect(await subscribers()).toBe(1), patient);
    await store.close();
    await refused;
    await vi.waitFor(async () => expect(await subscribers()).toBe(0), patient);
  });

  describe("a connection that is given up", () => {
    let node: RedisNode | undefined;
    const subscription = { channel: "a", message() {}, patternMessage() {}, down() {} };

    beforeEach(async () => {
      [node] = await connectionOf(client).masters();
    });

    it("before it has reached the server does not stay there", async () => {
      server.mute();
      const use = new AbortController();
      const refused = expect(node?.subscribe(subscription, use.signal)).rejects.toThrow();
      use.abort();
      await refused;
      // Whatever is on its way there arrives before this one.
      const probe = connect(Number(new URL(server.url).port), "127.0.0.1");
      await once(probe, "connect");
      probe.destroy();
      await vi.waitFor(() => expect(server.made).toBeGreaterThan(0), patient);
      await vi.waitFor(() => expect(server.open).toBe(0), patient);
    });

    it("once it is open ends at once", async () => {
      const use = new AbortController();
      const opened = await node?.subscribe(subscription, use.signal);
      use.abort();
      await expect(opened?.addPattern("b*")).rejects.toThrow();
    });
  });
});
