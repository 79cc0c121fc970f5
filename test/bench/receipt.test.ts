/** The benchmark of receipts measures what it says: with a few ends, and without a look at the time. */
import { expect, test } from "vitest";
import { type Compared, stores } from "../../bench/end-to-close/compared-stores.ts";
import { measure } from "../../bench/receipt/receipt.ts";
import { withService } from "../setup/services.ts";

const isMissing = ({ kind: { service } }: Compared) =>
  service !== undefined && withService(service).isMissing;

/** One that polls its feed, and one that does not. */
const tested = stores.filter(({ kind }) => ["sqlite", "redis"].includes(kind.name));

for (const store of tested)
  test.skipIf(isMissing(store))(
    `receipts of four nodes, and bare round trips, over ${store.kind.title}`,
    { timeout: 120_000 },
    async () => {
      const { receiptMs, bareMs } = await measure(store, 1, 20);
      expect([receiptMs.length, bareMs.length]).toEqual([20, 20]);
    },
  );
