import { withService } from "../../setup/services.ts";
import type { ClientPackage } from "../../support/redis-clients.ts";
import { newPlace } from "../../support/store-address.ts";
import { describeStore } from "../conformance.ts";
import { describeProcesses } from "../describe-processes.ts";
import { redisHarness } from "./clients.ts";

const traits = {
  atomic: true,
  feed: true,
  uniqueRevisions: false,
  exactExpiry: false,
  timePasses: true,
  users: true,
  tickets: true,
  notes: true,
  damage: "any text",
} as const;
const packages: ClientPackage[] = ["redis", "ioredis"];

for (const service of ["redis", "redis-cluster"] as const) {
  const server = withService(service);
  server.describe(service === "redis" ? "one server" : "a Cluster", () => {
    for (const from of packages) {
      describeStore(`redisStore, ${from}`, { ...traits, stalls: service === "redis" }, () =>
        redisHarness(from, server.url),
      );
      describeProcesses(
        () => ({ kind: "redis", url: server.url, place: newPlace() }),
        [...packages, from, from],
      );
    }
  });
}
