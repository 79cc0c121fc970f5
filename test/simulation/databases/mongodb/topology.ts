/**
 * How the driver reaches its server. An operation waits until a connection is to be had, and is sent again once when that
 * breaks: a read always, a write of one document on a replica set, where the server knows it again and makes it once. What
 * its caller has given up waiting for may be done much later.
 */
import type { Connection } from "../../world/connection.ts";
import { Pool } from "../../world/pool.ts";
import type { Route } from "../../world/route.ts";
import { isOfNetwork, ServerSelectionError } from "./errors.ts";

/** Of `maxPoolSize`; the rest are the defaults of the driver. */
const poolSize = 10;
const selectionMs = 30_000;
const nextTryMs = 500;

export class MongodbTopology {
  readonly #route: Route;
  readonly #pool: Pool;
  readonly #retriesWrites: boolean;

  constructor(route: Route, retriesWrites: boolean) {
    this.#route = route;
    this.#pool = new Pool(route, poolSize);
    this.#retriesWrites = retriesWrites;
  }

  /** Of the process. */
  get name(): string {
    return this.#route.process.name;
  }

  read<T>(work: () => T): Promise<T> {
    return this.#twice(work);
  }

  /** Of one document. */
  write<T>(work: () => T): Promise<T> {
    return this.#retriesWrites ? this.#twice(madeOnce(work)) : this.once(work);
  }

  /** Operations that are never retried. */
  async once<T>(work: () => T): Promise<T> {
    return (await this.select()).call(work);
  }

  /** The server's answer when it can give one. */
  async late<T>(start: (answer: (work: () => T) => void) => void): Promise<T> {
    return (await this.select()).callLate(start);
  }

  /** Rejects with a `ServerSelectionError` if there is no server for half a minute. */
  async select(): Promise<Connection> {
    const { world, process } = this.#route;
    for (const until = world.now + selectionMs; ; ) {
      try {
        return await this.#pool.take();
      } catch (cause) {
        if (world.now >= until) throw new ServerSelectionError(cause);
        await new Promise<void>((resolve) => world.after(nextTryMs, resolve, process));
      }
    }
  }

  async #twice<T>(work: () => T): Promise<T> {
    try {
      return await this.once(work);
    } catch (error) {
      if (!isOfNetwork(error)) throw error;
      return await this.once(work);
    }
  }
}

/** The server's record of a write, by its number: that it happened, and its result. */
function madeOnce<T>(work: () => T): () => T {
  let made: { readonly result: T } | undefined;
  return () => {
    made ??= { result: work() };
    return made.result;
  };
}
