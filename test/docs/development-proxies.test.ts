/** What the guide to development proxies says, before an application: Vite with its file, and no proxy at all. */

import { describe, expect, test } from "vitest";
import { freePort } from "../../scripts/services/ports.mjs";
import { Browser, connected, disconnected, refused } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";
import { closeAfterEach } from "./close-after-each.ts";
import { replaceAll } from "./proxy.ts";
import { startVite } from "./vite.ts";

const opened = closeAfterEach();

const start = async (options: WorldOptions = {}): Promise<World> =>
  opened(await startWorld({ sockets: (io) => installHandlers(io), ...options }));

const transports = [["polling"], ["websocket"], ["polling", "websocket"]].map((names) => ({ names }));

/** A page of `url` that has logged in, and a socket of it to `address`, which says where it comes from as browsers do. */
async function page(url: string, names: string[], address = url) {
  const browser = opened(new Browser(address));
  await browser.post("/login", { name: "ada" });
  const extraHeaders = { origin: url, cookie: browser.cookie };
  const socket = browser.socket("/", { transports: names, reconnection: false, extraHeaders });
  return { browser, socket };
}

/** That the session is the page's, by the transport that the names end on, until the logout. */
async function expectSession({ browser, socket }: Awaited<ReturnType<typeof page>>, names: string[]) {
  await connected(socket);
  await upgraded(socket);
  expect(socket.io.engine.transport.name).toBe(names.at(-1));
  expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
  const gone = disconnected(socket);
  await browser.post("/logout");
  expect(await gone).toBe("io server disconnect");
}

describe.each(transports)("by $names", ({ names }) => {
  test("Vite with the file of the guide lets its page in", async () => {
    const world = await start();
    const vite = opened(await startVite(world.url, { port: await freePort() }));
    await expectSession(await page(vite.url, names), names);
  });

  const configure = (text: string) =>
    replaceAll(text, { "{ target, ws: true }": "{ target, ws: true, changeOrigin: true }" });

  test("Vite with changeOrigin has it refused", async () => {
    const world = await start();
    const vite = opened(await startVite(world.url, { port: await freePort(), configure }));
    const { socket } = await page(vite.url, names);
    await refused(socket);
    expect(world.sessions.stats().refused.ORIGIN_REFUSED).toBe(1);
  });

  test("Vite with changeOrigin lets it in where its origin is listed", async () => {
    const port = await freePort();
    const world = await start({ origins: [`http://127.0.0.1:${port}`] });
    const vite = opened(await startVite(world.url, { port, configure }));
    await expectSession(await page(vite.url, names), names);
  });

  test("a page of another port is let in where `origins` and `cors` list it", async () => {
    const origin = "http://localhost:5173";
    const world = await start({ origins: [origin], io: { cors: { origin, credentials: true } } });
    await expectSession(await page(origin, names, world.url), names);
    const answer = await fetch(`${world.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
  });
});
