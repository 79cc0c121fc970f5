/** A connection to the simulated Redis, as both drivers have it. */
import { type Connection, connectionError } from "../../world/connection.ts";
import type { Route } from "../../world/route.ts";
import type { Answer, Peer, Pushed, RedisServer } from "./server.ts";

export class RedisWire implements Peer {
  readonly name: string;
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  readonly #server: RedisServer;
  readonly #connection: Connection;
  readonly #receive: (pushed: Pushed) => void;

  private constructor(
    server: RedisServer,
    route: Route,
    connection: Connection,
    receive: (pushed: Pushed) => void,
  ) {
    this.name = route.process.name;
    this.#server = server;
    this.#connection = connection;
    this.#receive = receive;
    connection.onClosed(() => server.forgetPeer(this));
  }

  /** Rejects if it is not there after `timeoutMs`. */
  static dial(
    server: RedisServer,
    route: Route,
    timeoutMs: number,
    receive: (pushed: Pushed) => void,
  ): Promise<RedisWire> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const giveUp = () => {
        isLate = true;
        reject(connectionError("ETIMEDOUT"));
      };
      const cancel = route.world.after(timeoutMs, giveUp, route.process);
      route.connect().then(
        (connection) => {
          cancel();
          if (isLate) connection.close();
          else resolve(new RedisWire(server, route, connection, receive));
        },
        (error: unknown) => {
          cancel();
          reject(error);
        },
      );
    });
  }

  /** Sends commands together. Rejects when the connection is lost, and where the server can't do any of them. */
  exchange(commands: readonly (readonly string[])[]): Promise<Answer[]> {
    return this.#connection.call(() => this.#server.answer(this, commands));
  }

  push(pushed: Pushed): void {
    this.#connection.publish(() => this.#receive(pushed));
  }

  onDown(down: (error: Error) => void): void {
    this.#connection.onDown(down);
  }

  close(): void {
    this.#connection.close();
  }
}
