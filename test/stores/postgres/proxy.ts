/** A proxy to the database that can stop forwarding, with all connections left open. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { postgresUrl } from "./tables.ts";

/**
 * Ends with the test. Counts connections, ever and still open. With `allowHalfOpen` no goodbye is answered once it is
 * frozen, as by a server that is.
 */
export async function startProxy(options: { allowHalfOpen?: boolean } = {}): Promise<{
  url: string;
  freeze: () => void;
  connections: number;
  open: number;
}> {
  const { hostname, port } = new URL(postgresUrl());
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer(options, (near) => {
    proxy.connections += 1;
    proxy.open += 1;
    near.on("close", () => {
      proxy.open -= 1;
    });
    const far = connect(Number(port || 5432), hostname);
    for (const socket of [near, far]) sockets.add(socket.on("error", () => {}));
    near.on("data", (data) => frozen || far.write(data)).on("end", () => frozen || far.end());
    far.on("data", (data) => frozen || near.write(data)).on("end", () => frozen || near.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = new URL(postgresUrl());
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const freeze = () => {
    frozen = true;
  };
  const proxy = { url: url.href, freeze, connections: 0, open: 0 };
  return proxy;
}
