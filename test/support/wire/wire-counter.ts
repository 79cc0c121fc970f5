/**
 * A proxy between clients and their database that records their requests: those that wait for an answer, in the order
 * in which they came, whichever package sends them.
 *
 * ```ts
 * const counter = await startWireCounter(url, redisRequests);
 * const client = createClient({ url: counter.url });
 * await counter.during(() => client.get("key")); // ["GET"]
 * ```
 *
 * Traffic that only keeps a connection or a feed alive is not a request: each protocol's reader leaves it out.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Reads what one connection's client sends, piece by piece, and returns the names of the requests that are whole. */
export type RequestReader = (chunk: Buffer) => readonly string[];

export interface WireCounter {
  /** The database's address, by way of this proxy. */
  readonly url: string;
  /** The requests made while `run` runs, by all connections. */
  during(run: () => Promise<unknown>): Promise<readonly string[]>;
  /** Whether every connection has been answered since it asked last. */
  readonly isIdle: boolean;
  close(): void;
}

export async function startWireCounter(
  databaseUrl: string,
  openReader: () => RequestReader,
): Promise<WireCounter> {
  const { hostname, port } = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const asking = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: Number(port), host: hostname, noDelay: true });
    const read = openReader();
    near.on("data", (chunk) => {
      const asked = read(chunk);
      if (asked.length > 0) asking.add(near);
      requests.push(...asked);
      far.write(chunk);
    });
    far.on("data", (chunk) => {
      asking.delete(near);
      near.write(chunk);
    });
    for (const [socket, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(socket);
      socket.on("error", () => other.destroy()); // either side may break off; that ends both
      socket.on("close", () => {
        sockets.delete(socket);
        asking.delete(near);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    async during(run) {
      const before = requests.length;
      await run();
      return requests.slice(before);
    },
    get isIdle() {
      return asking.size === 0;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Cuts a stream into messages. `take` returns how long the first one of the given bytes is; 0 while it is not whole. */
export function messages(take: (bytes: Buffer) => number): (chunk: Buffer) => Buffer[] {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const whole: Buffer[] = [];
    for (let length = take(rest); length > 0; length = take(rest)) {
      whole.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    return whole;
  };
}
