import { isIPv6 } from "node:net";
import { clientAddress } from "./client-address.ts";
import type { EngineConnection } from "./upstream.ts";

/** How many connections may be open whose session is not proven. */
export interface MaxUnproven {
  readonly all: number;
  readonly perAddress: number;
}

/**
 * Bounds the number of unproven connections, in all and for each address (for IPv6, each network of 64 bits). The oldest
 * one makes room, not the newest: a client with a ticket needs its connection for one round trip only, so it gets in while others flood the server.
 */
export class UnprovenLimit {
  readonly #max: MaxUnproven;
  readonly #trustProxy: boolean;
  readonly #all = new Set<EngineConnection>();
  readonly #byAddress = new Map<string, Set<EngineConnection>>();

  constructor(max: MaxUnproven, trustProxy: boolean) {
    this.#max = max;
    this.#trustProxy = trustProxy;
  }

  /** The returned function removes it; the caller calls that when the connection closes, too. */
  add(connection: EngineConnection): () => void {
    const { headers, socket } = connection.request ?? {};
    const address = subscriberOf(clientAddress(headers, socket?.remoteAddress, this.#trustProxy) ?? "");
    const near = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, near.add(connection));
    this.#all.add(connection);
    const remove = () => {
      this.#all.delete(connection);
      near.delete(connection);
      if (near.size === 0 && this.#byAddress.get(address) === near) this.#byAddress.delete(address);
    };
    if (near.size > this.#max.perAddress) closeOldest(near);
    if (this.#all.size > this.#max.all) closeOldest(this.#all);
    return remove;
  }

  closeAll(): void {
    for (const connection of this.#all) connection.close(true);
  }
}

/** Some proxies add the port, which is another for each connection. */
const withPort = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+)):\d+$/;

/** The part of an address that one client can't choose: in IPv6, a subscriber has 2^64 addresses or more. */
function subscriberOf(text: string): string {
  const { v4, v6 } = withPort.exec(text)?.groups ?? {};
  const address = v4 ?? v6 ?? text;
  const mapped = /^::ffff:(?<v4>[\d.]+)$/i.exec(address)?.groups?.v4;
  if (mapped || !isIPv6(address)) return mapped ?? address;
  const written = URL.parse(`http://[${address.split("%")[0]}]`)?.hostname.slice(1, -1) ?? address; // in one way
  const [before = [], after = []] = written.split("::").map((groups) => groups.split(":"));
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}

function closeOldest(connections: ReadonlySet<EngineConnection>): void {
  const [oldest] = connections;
  oldest?.close(true);
}
