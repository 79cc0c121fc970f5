import { withService } from "../setup/services.ts";
import { describeStore } from "./conformance.ts";
import { type ClientPackage, redisHarness } from "./redis-clients.ts";

const traits = {
  atomic: true,
  feed: true,
  uniqueRevisions: false,
  exactExpiry: false,
  timePasses: true,
  users: true,
};
const packages: ClientPackage[] = ["redis", "ioredis"];

for (const service of ["redis", "redis-cluster"] as const) {
  const server = withService(service);
  server.describe(service === "redis" ? "one server" : "a Cluster", () => {
    for (const from of packages)
      describeStore(`redisStore, ${from}`, traits, () => redisHarness(from, server.url));
  });
}
