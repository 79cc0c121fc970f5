/** A feed that continues where it stopped: a lost connection loses nothing, unless the log itself is lost. */
import type { Clock } from "socket-session";
import type { FeedSource } from "../../../src/stores/common/feed-source.ts";
import type { Pool } from "../world/pool.ts";
import type { Route } from "../world/route.ts";
import type { ReferenceServer } from "./reference-server.ts";

const pollMs = 100;

export function logSource(server: ReferenceServer, clock: Clock, route: Route, pool: Pool): FeedSource {
  return {
    silenceCure: "",
    async open(sink, _options, signal) {
      let connection = await route.connect();
      let { name, next } = await connection.call(() => server.logFrom(Number.MAX_SAFE_INTEGER));
      const read = async (): Promise<void> => {
        if (!connection.isOpen) connection = await route.connect();
        if (signal.aborted) return connection.close();
        const from = next;
        const found = await connection.call(() => server.logFrom(from));
        if (signal.aborted) return;
        if (found.name !== name) sink.missed();
        for (const text of found.name === name ? found.texts : []) sink.message(text);
        ({ name, next } = found);
      };
      const goOn = () => {
        if (signal.aborted) return;
        // A reading that failed is done again: where it stopped is known.
        void read().then(
          () => clock.after(pollMs, goOn),
          () => clock.after(5 * pollMs, goOn),
        );
      };
      signal.addEventListener("abort", () => connection.close());
      goOn();
      return { close: async () => connection.close() };
    },
    publish: async (textOf) => {
      await pool.call(() => server.publish(textOf(0)));
      return 1;
    },
  };
}
