/** All stories of faults, over one networked store. */
import { withService } from "../setup/services.ts";
import type { NetworkedStore } from "./networked-stores.ts";
import { useNodes } from "./nodes.ts";
import { feedCutStories } from "./stories/feed-cut.ts";
import { frozenNodeStories } from "./stories/frozen-node.ts";
import { killedNodeStories } from "./stories/killed-node.ts";
import { otherPackageStories } from "./stories/other-package.ts";
import { receiptStories } from "./stories/receipt.ts";
import { ruleStories } from "./stories/rule-turns-false.ts";
import { slowStoreStories } from "./stories/slow-store.ts";
import { storeRestartStories } from "./stories/store-restart.ts";

/** For a machine that has much else to do. A story that goes wrong takes that long to say so. */
const options = { timeout: 90_000 };

export function describeFaults(store: NetworkedStore): void {
  const { describe } = withService(store.service);
  describe(`faults, over ${store.name}`, options, () => {
    const nodes = useNodes(store);
    feedCutStories(store, nodes);
    ruleStories(store, nodes);
    frozenNodeStories(nodes);
    receiptStories(nodes);
    slowStoreStories(nodes);
    otherPackageStories(nodes);
    killedNodeStories(nodes);
  });
  const { startServer } = store;
  if (startServer)
    describe(`a crash of ${store.name}`, options, () => {
      storeRestartStories({ ...store, startServer });
    });
}
