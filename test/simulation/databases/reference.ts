/**
 * The port over a database of its own shape, with each kind of change feed that there is: publish and subscribe, which
 * loses what is published while it is cut; a log, which does not; one that is polled; and none.
 */
import type { FeedTraits, SessionStore } from "../../../src/session-store.ts";
import type { FeedSource } from "../../../src/stores/common/feed-source.ts";
import { changeMessage, noteMessage } from "../../../src/stores/common/messages.ts";
import { RemoteFeed } from "../../../src/stores/common/remote-feed.ts";
import type { Ledger } from "../ledger.ts";
import { Pool } from "../world/pool.ts";
import type { SimulatedProcess } from "../world/process.ts";
import type { Route } from "../world/route.ts";
import type { Database, DatabaseKind } from "./database.ts";
import { logSource } from "./reference-log.ts";
import { polledChanges } from "./reference-polling.ts";
import { ReferenceServer } from "./reference-server.ts";

type Feed = "pub/sub" | "log" | "polled" | "none";

export const referenceKinds: readonly DatabaseKind[] = (["pub/sub", "log", "polled", "none"] as const).map(
  (feed) => ({
    name: `reference, ${feed}`,
    feed: feed === "none" ? "incomplete" : "complete",
    make(world, ledger): Database {
      const server = new ReferenceServer(world, ledger);
      return { server, open: (process, route) => referenceStore(server, process, route, feed, ledger) };
    },
  }),
);

function referenceStore(
  server: ReferenceServer,
  process: SimulatedProcess,
  route: Route,
  kind: Feed,
  ledger: Ledger,
): SessionStore {
  const pool = new Pool(route, 2);
  const feed: FeedTraits = { kind, complete: true };
  return {
    name: "reference",
    atomic: true,
    read: ({ sid }) =>
      pool.call(() => {
        ledger.read(process.name);
        return server.read(sid);
      }),
    readMany: (keys) =>
      pool.call(() => {
        ledger.read(process.name, keys.length);
        return keys.map(({ sid }) => server.read(sid));
      }),
    create: ({ sid }, document, expiresAt) => {
      const text = JSON.stringify(document);
      return pool.call(() => server.create(sid, text, expiresAt));
    },
    replace: ({ sid, publicIds }, expected, document, expiresAt, _user, write = "") => {
      const text = JSON.stringify(document);
      const message = changeMessage({ kind: "changed", publicIds, write });
      return pool.call(() => server.replace(sid, String(expected), text, expiresAt, message));
    },
    touch: ({ sid }, expiresAt) => pool.call(() => server.touch(sid, expiresAt, process.name)),
    destroy: ({ sid, publicIds }, reason) => {
      const message = changeMessage({ kind: "ended", publicIds, reason });
      return pool.call(() => server.destroy(sid, message));
    },
    putTicket: (id, value, expiresAt) => pool.call(() => server.putTicket(id, value, expiresAt)),
    takeTicket: (id) => pool.call(() => server.takeTicket(id)),
    ...(kind === "none" ? {} : { feed, changes: changesOf(server, process, route, pool, kind) }),
    ...(kind === "none" ? {} : { tell: (note) => pool.call(() => server.publish(noteMessage(note))) }),
    close: async () => pool.close(),
  };
}

function changesOf(
  server: ReferenceServer,
  { clock }: SimulatedProcess,
  route: Route,
  pool: Pool,
  kind: Feed,
): NonNullable<SessionStore["changes"]> {
  if (kind === "polled") return polledChanges(server, clock, pool);
  const source = kind === "log" ? logSource(server, clock, route, pool) : subscription(server, route, pool);
  const feed = new RemoteFeed(() => source, clock);
  return (listener, options) => feed.listen(listener, options);
}

function subscription(server: ReferenceServer, route: Route, pool: Pool): FeedSource {
  return {
    silenceCure: "",
    async open(sink, _options, signal) {
      const connection = await route.connect();
      signal.addEventListener("abort", () => connection.close());
      connection.onDown((error) => sink.down(error));
      await connection.call(() => server.subscribe(connection, (text) => sink.message(text)));
      return { close: async () => connection.close() };
    },
    publish: async (textOf) => {
      await pool.call(() => server.publish(textOf(0)));
      return 1;
    },
  };
}
