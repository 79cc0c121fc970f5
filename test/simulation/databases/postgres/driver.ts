/**
 * The part of the driver `pg` that `postgresStore` uses: a `Pool`, and the class of its clients. A pool does not emit
 * the errors of its idle clients.
 */
import { EventEmitter } from "node:events";
import type { PostgresClient, PostgresPool } from "../../../../src/stores/postgres/options.ts";
import type { Connection } from "../../world/connection.ts";
import { Pool } from "../../world/pool.ts";
import type { Route } from "../../world/route.ts";
import { Unsupported } from "../../world/unsupported.ts";
import type { PostgresServer } from "./server.ts";
import { type Row, statements } from "./statements.ts";

/** The default of `pg`. */
const poolSize = 10;

export class SimulatedPostgresPool implements PostgresPool {
  readonly options = {};
  /** Of its clients; the feed makes one of its own. */
  readonly Client: new (
    config: object,
  ) => PostgresClient;
  readonly #server: PostgresServer;
  readonly #route: Route;
  readonly #pool: Pool;

  constructor(server: PostgresServer, route: Route) {
    this.#server = server;
    this.#route = route;
    this.#pool = new Pool(route, poolSize);
    this.Client = class extends SimulatedPostgresClient {
      constructor(config: object) {
        super(server, route, config);
      }
    };
  }

  async query(text: string, values: unknown[] = []): Promise<{ rows: readonly Row[] }> {
    const { name } = this.#route.process;
    const rows = await this.#pool.call(() => {
      const statement = statements.get(text);
      if (!statement) throw new Unsupported(`the statement ${text}`);
      return statement(this.#server, values, name);
    });
    return { rows };
  }
}

class SimulatedPostgresClient extends EventEmitter implements PostgresClient {
  readonly connection = { stream: { destroy: () => this.#destroy() } };
  readonly #server: PostgresServer;
  readonly #route: Route;
  readonly #connectMs: number;
  readonly #queryMs: number;
  #isDestroyed = false;
  #connection: Connection | undefined;

  constructor(server: PostgresServer, route: Route, config: object) {
    super();
    this.#server = server;
    this.#route = route;
    this.#connectMs = Number(Reflect.get(config, "connectionTimeoutMillis"));
    this.#queryMs = Number(Reflect.get(config, "query_timeout"));
  }

  /** A connection that is made after the timeout is closed. */
  connect(): Promise<void> {
    return this.#within(this.#connectMs, "timeout expired", async () => {
      const connection = await this.#route.connect();
      if (this.#isDestroyed) connection.close();
      this.#connection = connection;
      connection.onDown((error) => {
        this.emit("error", error);
        this.emit("end");
      });
    }).catch((error: unknown) => {
      this.#destroy();
      throw error;
    });
  }

  query(text: string): Promise<void> {
    const connection = this.#connection;
    if (!connection) throw new Unsupported("a query before connect()");
    return this.#within(this.#queryMs, "Query read timeout", () =>
      connection.call(() => this.#listen(connection, text)),
    );
  }

  /** Resolves when the server has taken the goodbye, or the connection has broken. */
  async end(): Promise<void> {
    const connection = this.#connection;
    if (!connection?.isOpen) return;
    await new Promise<void>((resolve) => connection.call(() => {}).then(resolve, () => resolve()));
    this.#destroy();
    this.emit("end");
  }

  /** At the server. A route that is deaf leads past it: a pooler runs LISTEN on a connection that others use next. */
  #listen(connection: Connection, text: string): void {
    const channel = /^LISTEN (\w+)$/.exec(text)?.[1];
    if (channel === undefined) throw new Unsupported(`the statement ${text} of a client`);
    const unlisten = this.#server.listen(channel, (payload) => {
      connection.publish(() => this.emit("notification", { channel, payload }));
    });
    connection.onClosed(unlisten);
  }

  #destroy(): void {
    this.#isDestroyed = true;
    this.#connection?.close();
  }

  #within<T>(ms: number, late: string, run: () => Promise<T>): Promise<T> {
    const { world, process } = this.#route;
    return new Promise((resolve, reject) => {
      const cancel = world.after(ms, () => reject(new Error(late)), process);
      run().then(resolve, reject).finally(cancel);
    });
  }
}
