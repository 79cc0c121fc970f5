/** Connections as a driver keeps them: dialled when they are needed, dropped when they break. */
import type { Connection } from "./connection.ts";
import type { Route } from "./route.ts";

export class Pool {
  readonly #route: Route;
  readonly #size: number;
  readonly #connections = new Set<Connection>();
  readonly #dialing = new Set<Promise<Connection>>();

  constructor(route: Route, size: number) {
    this.#route = route;
    this.#size = size;
  }

  /** Does `work` at the server. */
  async call<T>(work: () => T): Promise<T> {
    const connection = await this.take();
    return connection.call(work);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** The connection that has the least to do. Rejects where none can be dialled. */
  async take(): Promise<Connection> {
    let best: Connection | undefined;
    for (const connection of this.#connections)
      if (connection.isOpen && (!best || connection.waiting < best.waiting)) best = connection;
    const hasRoom = this.#connections.size + this.#dialing.size < this.#size;
    if (best && (best.waiting === 0 || !hasRoom)) return best;
    const [dialing] = this.#dialing;
    return dialing && !hasRoom ? dialing : this.#dial();
  }

  #dial(): Promise<Connection> {
    const dialing = this.#route.connect().finally(() => this.#dialing.delete(dialing));
    this.#dialing.add(dialing);
    return dialing.then((connection) => {
      this.#connections.add(connection);
      connection.onDown(() => this.#connections.delete(connection));
      return connection;
    });
  }
}
