/** The database requests of a request, a handshake, an event and an `update`, on the wire, compared with the peer's package. */
import { beforeAll, describe, expect, test } from "vitest";
import { withService } from "../setup/services.ts";
import { countedStores } from "../support/costs/counted-stores.ts";
import {
  type Asked,
  boundOf,
  countRoundTrips,
  type ScenarioName,
  scenarioNames,
  scenarios,
} from "../support/costs/round-trips.ts";

for (const store of countedStores) {
  const service = store.service === undefined ? undefined : withService(store.service);
  describe.skipIf(service?.isMissing)(`round trips over ${store.name}`, () => {
    let counts: Record<ScenarioName, Asked>;
    beforeAll(async () => {
      counts = await countRoundTrips(store, service?.url ?? "");
    }, 60_000);

    test.each(scenarioNames.map((name) => ({ name, ...scenarios[name] })))("$title", ({ name }) => {
      const { ours, theirs } = counts[name];
      const { bound, more } = boundOf(store, name, counts[name]);
      const compared = `${ours.join(", ")}, beside ${theirs?.join(", ") ?? "nothing"}`;
      if (more > 0) expect(ours.length, `${compared}; because of ${store.oneMore?.why}`).toBe(bound + more);
      else expect(ours.length, compared).toBeLessThanOrEqual(bound);
    });
  });
}
