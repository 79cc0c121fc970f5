/**
 * The change feed of `postgresStore`: each write's transaction runs NOTIFY; LISTEN has a connection of its own, which has
 * the pool's settings but is not taken from the pool.
 */

import createDebug from "debug";
import { errorText } from "../../base/errors.ts";
import { withTimeout } from "../../base/with-timeout.ts";
import type { FeedOptions } from "../../session-store.ts";
import type { FeedConnection, FeedSink, FeedSource } from "../common/feed-source.ts";
import type { PostgresClient, ResolvedPostgresOptions } from "./options.ts";
import type { PostgresTables } from "./tables.ts";

type Options = Pick<ResolvedPostgresOptions, "pool" | "clientClass" | "listenConnectionString" | "clock">;

const debug = createDebug("socket-session:store");

const goodbyeMs = 1_000;
/** NOTIFY takes less than 8000 bytes. */
const maxMessageBytes = 7_999;

export class PostgresFeedSource implements FeedSource {
  readonly silenceCure =
    "A pooler in transaction mode breaks LISTEN: give postgresStore a listenConnectionString that leads past it, to " +
    "the database itself. Otherwise look for what is between, and whether all clients of the pool are taken.";
  readonly #tables: PostgresTables;
  readonly #options: Options;

  constructor(tables: PostgresTables, options: Options) {
    this.#tables = tables;
    this.#options = options;
  }

  async open(sink: FeedSink, { heartbeatMs }: FeedOptions): Promise<FeedConnection> {
    const channel = await this.#tables.channel();
    const client = new this.#options.clientClass(this.#config(2 * heartbeatMs));
    client.on("error", (error) => sink.down(error));
    client.on("end", () => sink.down(new Error("The database ended the connection of the change feed.")));
    client.on("notification", (notification) => sink.message(payloadOf(notification)));
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
    } catch (error) {
      await this.#end(client);
      throw error;
    }
    return { close: () => this.#end(client) };
  }

  async publish(textOf: (copy: number) => string): Promise<number> {
    await this.#tables.query(this.#tables.sql.publish, [textOf(0)]);
    return 1;
  }

  #config(timeoutMs: number): object {
    const { options } = this.#options.pool;
    const { listenConnectionString: connectionString } = this.#options;
    return {
      ...options,
      password: Reflect.get(options, "password"), // the pool hides it from enumeration
      ...(connectionString === undefined ? {} : { connectionString }),
      application_name: "socket-session",
      keepAlive: true,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
    };
  }

  /**
   * Ends the connection gracefully, which keeps the process alive until then. If the server does not answer, cuts it.
   * Never rejects.
   */
  async #end(client: PostgresClient): Promise<void> {
    const late = () => new Error(`no answer within ${goodbyeMs} ms`);
    try {
      await withTimeout(this.#options.clock, goodbyeMs, () => client.end(), late);
    } catch (error) {
      debug("ending the connection of the feed failed, and it is cut: %s", errorText(error));
      client.unref?.();
      client.connection?.stream?.destroy?.();
    }
  }
}

function payloadOf(notification: unknown): string {
  const isOne = typeof notification === "object" && notification !== null;
  const payload: unknown = isOne ? Reflect.get(notification, "payload") : undefined;
  return typeof payload === "string" ? payload : "";
}

/** The message with as many of the public ids as fit, newest first. */
export function fitting(
  publicIds: readonly string[],
  message: (publicIds: readonly string[]) => string,
): string {
  for (let count = publicIds.length; count > 1; count -= 1) {
    const text = message(publicIds.slice(0, count));
    if (Buffer.byteLength(text) <= maxMessageBytes) return text;
  }
  return message(publicIds.slice(0, 1));
}
