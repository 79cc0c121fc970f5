/** The way to a database through a proxy that can hold everything back, as the `stall` of a harness. */
import { TcpProxy } from "../faults/tcp-proxy.ts";

export interface StalledLink {
  /** The database's, through the proxy. */
  readonly url: string;
  /** Nothing passes until the returned function is called. */
  stall(): () => Promise<void>;
  close(): void;
}

export async function openStalledLink(databaseUrl: string): Promise<StalledLink> {
  const url = new URL(databaseUrl);
  const proxy = await TcpProxy.start(
    { host: url.hostname, port: Number(url.port) },
    { marks: [], isSticky: true },
  );
  url.host = `127.0.0.1:${proxy.port}`;
  return {
    url: url.href,
    stall() {
      proxy.cut("silent");
      return () => proxy.heal();
    },
    close: () => proxy.close(),
  };
}
