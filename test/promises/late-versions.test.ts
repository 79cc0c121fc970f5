/**
 * What a node learned before a logout on another node lets no socket in after it: neither what its requests had loaded nor the
 * late answers of their writes. On real databases, with nothing slowed down, as often as it takes to meet the bad moments.
 */
import { expect, test } from "vitest";
import { ring } from "../setup/ring.ts";
import type { Browser } from "../support/browser.ts";
import { transportKinds } from "../support/matrix.ts";
import type { NodeProcess } from "../support/node-process.ts";
import { useSharedNodes } from "../support/shared-nodes.ts";
import { sharedStores } from "../support/shared-stores.ts";

const tries = ring === "product" ? 100 : 40;
const handles = 12;
const writes = 4;

for (const store of sharedStores) {
  store.describe(`two processes that share ${store.name}`, { timeout: 120_000 }, () => {
    const { node } = useSharedNodes(store, 2);

    test(`${tries} sockets that connect after a logout elsewhere, while requests here ask for their handles: none gets in`, async () => {
      const [here, there] = [node(1), node(2)];
      const outcomes: string[] = [];
      for (let round = 0; round < tries; round++) {
        const ada = await here.visitor({ name: "ada" });
        const requests = await Promise.all(
          Array.from({ length: handles }, (_, number) => hold(ada, `${round}-${number}`)),
        );
        // a jar of its own for each: a write that comes too late is given the cookie of a new session
        const writing = Array.from({ length: writes }, (_, n) => here.guest(ada).post("/write", { n }));
        await there.guest(ada).post("/logout");
        const { transports = [] } = transportKinds[round % transportKinds.length] ?? {};
        const socket = ada.socket("/", { transports: [...transports], reconnection: false });
        const outcome = new Promise<string>((resolve) => {
          socket.once("connect", () => resolve("in"));
          socket.once("connect_error", (error) => resolve(String(Reflect.get(error, "data")?.code)));
        });
        const going = fetch(new URL("/go", here.url), { method: "POST" });
        outcomes.push(await outcome);
        await (await going).text();
        await Promise.all([...writing, ...requests.map((end) => end())]);
        ada.close();
      }
      expect(outcomes).toEqual(Array.from({ length: tries }, () => "SESSION_ENDED"));
      await expect.poll(() => live(here), { timeout: 20_000 }).toBe(0);
    });
  });
}

/** Resolves once the request has loaded its session, to what waits for its end. */
async function hold(visitor: Browser, name: string): Promise<() => Promise<void>> {
  const response = await fetch(new URL(`/hold/${name}`, visitor.url), {
    headers: { cookie: visitor.cookie },
  });
  return async () => void (await response.text());
}

async function live(node: NodeProcess): Promise<number> {
  return JSON.parse(await node.browser().get("/stats")).live;
}
