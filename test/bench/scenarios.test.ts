/** Each subject does what each scenario measures of it: with a few clients, and without a look at the time. */
import { describe, expect, test } from "vitest";
import { thisCheckout } from "../../bench/run/library.ts";
import { takeSample } from "../../bench/run/sample.ts";
import { scenarios } from "../../bench/scenarios/all.ts";
import type { Case, Variant } from "../../bench/scenarios/scenario.ts";
import { storeNamed } from "../../bench/stores/all.ts";
import { withService } from "../setup/services.ts";

const options = { checkout: thisCheckout, isTiny: true };

/** The first variant of a scenario over all stores, the others over two. */
const casesOf = (variant: Variant, isFirst: boolean) =>
  variant.cases.filter(({ store }) => isFirst || ["memory", "redis"].includes(store));

function isMissing({ store }: Case): boolean {
  const { service } = storeNamed(store);
  return service !== undefined && withService(service).isMissing;
}

describe.each(scenarios)("$name", ({ metrics, variants }) => {
  describe.each(variants)("$name", (variant) => {
    for (const one of casesOf(variant, variant === variants[0]))
      test.skipIf(isMissing(one)).concurrent(`by ${one.subject} over ${one.store}`, async () => {
        const measured = await takeSample(variant, one, options);
        expect(Object.keys(measured).sort()).toEqual(metrics.map(({ name }) => name).sort());
      });
  });
});
