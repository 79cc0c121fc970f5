import type { AddressInfo } from "node:net";
import { Server } from "node:net";
import { join } from "node:path";
import { vi } from "vitest";
import { root } from "./markdown.ts";

export interface Running {
  readonly url: string;
  close(): void;
}

/** Runs a program of the guides as it is, on a free port instead of its own. */
export async function runExample(file: string): Promise<Running> {
  vi.stubEnv("SESSION_SECRET", "a secret of thirty-two characters");
  const listening = Promise.withResolvers<Server>();
  const { listen } = Server.prototype;
  const spy = vi.spyOn(Server.prototype, "listen").mockImplementation(function (this: Server) {
    return Reflect.apply(listen, this, [0, "127.0.0.1", () => listening.resolve(this)]);
  });
  try {
    await import(join(root, file));
  } finally {
    spy.mockRestore();
    vi.unstubAllEnvs();
  }
  const server = await listening.promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}
