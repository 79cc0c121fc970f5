/** All stories of what goes wrong, over one networked store. */
import { withService } from "../setup/services.ts";
import type { NetworkedStore } from "./networked-stores.ts";
import { useNodes } from "./nodes.ts";
import { feedCutStories } from "./stories/feed-cut.ts";
import { frozenNodeStories } from "./stories/frozen-node.ts";
import { killedNodeStories } from "./stories/killed-node.ts";
import { otherPackageStories } from "./stories/other-package.ts";
import { slowStoreStories } from "./stories/slow-store.ts";
import { storeRestartStories } from "./stories/store-restart.ts";

export function describeFaults(store: NetworkedStore): void {
  const { describe } = withService(store.service);
  describe(`faults, over ${store.name}`, () => {
    const nodes = useNodes(store);
    feedCutStories(store, nodes);
    frozenNodeStories(nodes);
    slowStoreStories(nodes);
    otherPackageStories(nodes);
    killedNodeStories(nodes);
  });
  const { startServer } = store;
  if (startServer)
    describe(`a crash of ${store.name}`, () => {
      storeRestartStories({ ...store, startServer });
    });
}
