/** Sessions that stay listed for their user, although their entry was removed, or expires before the session. */
import { describe, expect, it, onTestFinished } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { removeScript } from "../../../src/stores/redis/scripts.ts";
import type { RedisStoreOptions } from "../../../src/stores/redis/store.ts";
import { withService } from "../../setup/services.ts";
import { type ClientPackage, openIoRedis } from "../../support/redis-clients.ts";
import { everythingTold, listen } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock } from "../set-clock.ts";
import { clientForTest, newPrefix, storeForTest } from "./clients.ts";

const packages: ClientPackage[] = ["redis", "ioredis"];
const key = keyOf("a session");
const hour = 3_600_000;
const document = { cookie: {} };

for (const service of ["redis", "redis-cluster"] as const) {
  const server = withService(service);
  server.describe(service === "redis" ? "one server" : "a Cluster", () => {
    describe.each(packages)("a session that stays listed, %s", (from) => {
      async function startStores() {
        const clock = new SetClock();
        const prefix = newPrefix();
        const [client, another] = [
          await clientForTest(from, server.url),
          await clientForTest(from, server.url),
        ];
        const store = storeForTest({ client, prefix, clock });
        const other = storeForTest({ client: another, prefix, clock });
        onTestFinished(async () => {
          await other.clear?.();
        });
        return { clock, prefix, client, store, other, later: (ms = hour) => clock.now() + ms };
      }

      it("was created again while its entry was removed", async () => {
        const { clock, client, store, other, later } = await startStores();
        await store.create(key, document, later(), "ada");
        await store.create(keyOf("gone"), document, later(), "ada");
        for (const one of [key, keyOf("gone")]) await store.destroy(one, "destroyed");
        clock.advance(61_000);
        beforeRemoval(client, () => other.create(key, document, later(), "ada"));
        expect(await store.listByUser?.("ada")).toEqual([]);
        expect(await listed(store)).toEqual([key.sid]);
        expect(await listed(other)).toEqual([key.sid]);
      });

      it("was brought back by connect-redis, once it is used", async () => {
        const { clock, prefix, store, other, later } = await startStores();
        const { heard } = await listen(other);
        await other.create(key, document, later(), "ada");
        clock.advance(61_000);
        await store.destroy(key, "destroyed");
        expect(await listed(store)).toEqual([]);
        await everythingTold(store, heard);
        const raw = openIoRedis(server.url);
        onTestFinished(() => raw.disconnect());
        await raw.set(`${prefix}${key.sid}`, JSON.stringify(document), "EX", 3600);
        expect(await other.touch(key, later(), {}, "ada")).toBe(true);
        expect(await listed(store)).toEqual([key.sid]);
      });

      it("lives longer than a touch asks for", async () => {
        const { clock, store, later } = await startStores();
        await store.create(key, document, later(50 * hour));
        await store.touch(key, later(), {}, "ada");
        clock.advance(30 * hour);
        expect(await listed(store)).toEqual([key.sid]);
      });
    });
  });
}

async function listed(store: SessionStore) {
  return (await store.listByUser?.("ada"))?.map(({ sid }) => sid);
}

/** Runs `run` once, before entries are taken out of an index. */
function beforeRemoval(client: RedisStoreOptions["client"], run: () => Promise<unknown>): void {
  const method = "call" in client ? "call" : "sendCommand";
  const send: (...args: unknown[]) => unknown = Reflect.get(client, method);
  let hasRun = false;
  Reflect.set(client, method, async (...args: unknown[]) => {
    if (!hasRun && args.flat().includes(removeScript.sha)) {
      hasRun = true;
      await run();
    }
    return Reflect.apply(send, client, args);
  });
}
