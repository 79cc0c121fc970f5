import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { withService } from "../../setup/services.ts";
import { describeStore } from "../conformance.ts";
import { keyOf } from "../session-keys.ts";
import { clientForTest, newPrefix, redisHarness, storeForTest } from "./clients.ts";
import type { ClientPackage } from "./open.ts";

const traits = {
  atomic: true,
  feed: true,
  uniqueRevisions: false,
  exactExpiry: false,
  timePasses: true,
  users: true,
  damage: "any text",
} as const;
const fixture = fileURLToPath(new URL("fixtures/increment.ts", import.meta.url));
/** So that TypeScript sources also run on releases of Node that ask for the flag. */
const execArgv = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
const packages: ClientPackage[] = ["redis", "ioredis"];

for (const service of ["redis", "redis-cluster"] as const) {
  const server = withService(service);
  server.describe(service === "redis" ? "one server" : "a Cluster", () => {
    for (const from of packages)
      describeStore(`redisStore, ${from}`, { ...traits, stalls: service === "redis" }, () =>
        redisHarness(from, server.url),
      );

    it.each(packages)(
      "loses none of 400 increments by four processes, most of them with %s",
      { timeout: 120_000 },
      async (from) => {
        const prefix = newPrefix();
        const key = keyOf("a session");
        const store = storeForTest({ client: await clientForTest(from, server.url), prefix });
        await store.create(key, { cookie: {}, n: 0 }, Date.now() + 3_600_000);
        const processes = [...packages, from, from].map((one) => {
          const child = fork(fixture, [server.url, prefix, key.sid, "100", one], { execArgv });
          onTestFinished(() => {
            child.kill("SIGKILL");
          });
          return once(child, "exit");
        });
        expect((await Promise.all(processes)).map(([code]) => code)).toEqual([0, 0, 0, 0]);
        expect((await store.read(key))?.document.n).toBe(400);
        await store.destroy(key, "destroyed");
      },
    );
  });
}
