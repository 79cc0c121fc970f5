import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TcpProxy } from "./tcp-proxy.ts";

/** Answers everything with itself. */
let echo: Server;
let echoPort: number;
let proxy: TcpProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on("error", () => {}); // a reset is what some tests are about
    socket.pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const address = echo.address();
  if (typeof address !== "object" || !address) throw new Error("Expected the server to have a port.");
  echoPort = address.port;
  proxy = await TcpProxy.start(
    { host: "127.0.0.1", port: echoPort },
    { marks: ["SUBSCRIBE"], isSticky: true },
  );
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  proxy.close();
  echo.close();
});

async function open(port = proxy.port) {
  const socket = connect({ port, host: "127.0.0.1" });
  clients.push(socket);
  let heard = "";
  socket.on("data", (chunk) => {
    heard += chunk.toString();
  });
  const broken = new Promise<unknown>((resolve) => {
    socket.once("error", (error) => resolve("code" in error ? error.code : error));
  });
  await once(socket, "connect");
  return {
    broken,
    heard: () => heard,
    async say(text: string) {
      socket.write(text);
      await expect.poll(() => heard).toContain(text);
    },
    tell: (text: string) => socket.write(text),
  };
}

describe("the proxy between a node and its store", () => {
  test("passes everything on", async () => {
    const client = await open();
    await client.say("hello");
    await client.say("SUBSCRIBE");
  });

  test("cuts visibly: connections are reset, new ones refused, until it is healed", async () => {
    const client = await open();
    await client.say("hello");
    proxy.cut("visible");
    expect(await client.broken).toBe("ECONNRESET");
    await expect(open()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await proxy.heal();
    await (await open()).say("hello");
  });

  test("cuts silently: nothing passes, nothing is lost", async () => {
    const client = await open();
    await client.say("hello");
    proxy.cut("silent");
    client.tell("one");
    const other = await open();
    other.tell("two");
    await (await open(echoPort)).say("past the proxy");
    expect([client.heard(), other.heard()]).toEqual(["hello", ""]);
    await proxy.heal();
    await expect.poll(client.heard).toBe("helloone");
    await expect.poll(other.heard).toBe("two");
  });

  test.each(["visible", "silent"] as const)("drops the feed alone, by a %s cut", async (cut) => {
    const feed = await open();
    await feed.say("SUBSCRIBE");
    const other = await open();
    proxy.dropFeed(cut);
    feed.tell("news");
    const next = await open();
    next.tell("SUBS");
    next.tell("CRIBE");
    await other.say("hello");
    if (cut === "visible")
      expect([await feed.broken, await next.broken]).toEqual(["ECONNRESET", "ECONNRESET"]);
    expect(feed.heard()).toBe("SUBSCRIBE");
    await proxy.heal();
    if (cut === "silent") await expect.poll(feed.heard).toBe("SUBSCRIBEnews");
    await (await open()).say("SUBSCRIBE");
  });

  test("delays both ways, and keeps the order", async () => {
    const client = await open();
    proxy.delay(100);
    const began = performance.now();
    client.tell("one");
    client.tell("two");
    await expect.poll(client.heard, { interval: 5 }).toBe("onetwo");
    expect(performance.now() - began).toBeGreaterThanOrEqual(199);
    await proxy.heal();
    await client.say("three");
  });
});
