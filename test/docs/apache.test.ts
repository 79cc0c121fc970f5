/** The configurations of the guide to Apache, run as they are. */
import { expect, test } from "vitest";
import { withService } from "../setup/services.ts";
import { Browser, connected, refused } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { startWorld } from "../support/world.ts";
import { startApache, startSingleApache } from "./apache.ts";
import { closeAfterEach } from "./close-after-each.ts";
import { describeProxy } from "./describe-proxy.ts";

describeProxy("apache", { start: startApache, spreads: "visitors" });

const apache = withService("apache");

apache.describe("Apache with the configuration of Socket.IO's documentation", () => {
  const opened = closeAfterEach();

  /** A page that Apache has served connects to a node that believes no header of a proxy. */
  async function page(transport: string, configure?: (text: string) => string) {
    const node = await startWorld({ sockets: (io) => installHandlers(io) });
    const proxy = opened(await startSingleApache(apache.url, new URL(node.url).host, configure));
    opened(node); // closed before Apache, which waits ten seconds for a poll under way
    const browser = opened(new Browser(proxy.plainUrl));
    await browser.post("/login", { name: "ada" });
    const socket = browser.socket("/", {
      transports: [transport],
      reconnection: false,
      extraHeaders: { origin: proxy.plainUrl, cookie: browser.cookie },
    });
    return { socket, node };
  }

  test.each(["polling", "websocket"])("and ProxyPreserveHost lets pages in: %s", async (transport) => {
    const { socket } = await page(transport);
    await connected(socket);
    expect(socket.io.engine.transport.name).toBe(transport);
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
  });

  test.each(["polling", "websocket"])(
    "and no more refuses them, as the guide says: %s",
    async (transport) => {
      const { socket, node } = await page(transport, (text) => text.replace("ProxyPreserveHost On", ""));
      await refused(socket);
      expect(node.sessions.stats().refused.ORIGIN_REFUSED).toBe(1);
    },
  );
});
