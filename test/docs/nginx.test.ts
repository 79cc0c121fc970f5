/** The configuration of the guide to nginx, run as it is before three nodes. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { sqliteStore } from "socket-session/sqlite";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { withService } from "../setup/services.ts";
import { Browser, disconnected } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";
import { type Nginx, startNginx } from "./nginx.ts";

const nginx = withService("nginx");
const certificate = new URL("fixtures/localhost.pem", import.meta.url);

nginx.describe("nginx before three nodes", () => {
  let folder: string;
  let nodes: World[];
  let proxy: Nginx;
  let browsers: Browser[];

  beforeAll(async () => {
    tls.setDefaultCACertificates([...tls.getCACertificates(), readFileSync(certificate, "utf8")]);
    folder = mkdtempSync(join(tmpdir(), "nginx-nodes-"));
    nodes = await Promise.all(["one", "two", "three"].map((name) => startNode(name)));
    proxy = await startNginx(
      nginx.url,
      nodes.map(({ url }) => new URL(url).host),
    );
    browsers = [];
  });
  afterEach(() => {
    for (const browser of browsers.splice(0)) browser.close();
  });
  afterAll(async () => {
    await proxy?.close();
    for (const node of nodes ?? []) await node.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function startNode(name: string): Promise<World> {
    return startWorld({
      store: sqliteStore({ path: join(folder, "sessions.sqlite") }),
      cookie: { sameSite: "lax", secure: true },
      proxy: true,
      routes: (app) => app.get("/node", (_req, res) => void res.send(name)),
      sockets: (io) => installHandlers(io, (socket) => socket.on("node", (done) => done(name))),
    });
  }

  async function visitor(name = "ada"): Promise<Browser> {
    const one = new Browser(proxy.url);
    browsers.push(one);
    await one.post("/login", { name });
    return one;
  }

  test("over plain http leads to https", async () => {
    const response = await fetch(`${proxy.plainUrl}/somewhere?q=1`, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([
      301,
      "https://localhost/somewhere?q=1",
    ]);
  });

  test("lets secure cookies be set, as the nodes hear that it was https", async () => {
    const login = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    const through = await fetch(`${proxy.url}/login`, login);
    expect(through.headers.get("set-cookie")).toMatch(/^sid=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const past = await fetch(`${nodes[0]?.url}/login`, login);
    expect(past.headers.get("set-cookie")).toBeNull();
  });

  test("spreads requests, which are of one session on every node", async () => {
    const ada = await visitor();
    const seen = new Set<string>();
    for (let n = 0; n < 6; n++) {
      seen.add(await ada.get("/node"));
      expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
    }
    expect([...seen].sort()).toEqual(["one", "three", "two"]);
  });

  test("keeps polling with its node, each visitor's with one of them", async () => {
    const seen = new Set<string>();
    for (let n = 0; n < 12; n++) {
      const ada = await visitor(`ada ${n}`);
      const socket = await ada.connect("/", { transports: ["polling"], reconnection: false });
      const node = await socket.emitWithAck("node");
      for (let i = 1; i <= 5; i++) expect(await socket.emitWithAck("increment")).toBe(i);
      expect([await socket.emitWithAck("node"), socket.io.engine.transport.name]).toEqual([node, "polling"]);
      seen.add(node);
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  test.each([{ transports: ["polling", "websocket"] }, { transports: ["websocket"] }])(
    "passes WebSockets: $transports",
    async (options) => {
      const ada = await visitor();
      const socket = await ada.connect("/", options);
      await upgraded(socket);
      expect(socket.io.engine.transport.name).toBe("websocket");
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    },
  );

  test("lets pages of its own address connect, and those of others not", async () => {
    const ada = await visitor();
    const from = (origin: string) => ({
      transports: ["websocket"],
      reconnection: false,
      extraHeaders: { origin, cookie: ada.cookie },
    });
    expect((await ada.connect("/", from(proxy.url))).connected).toBe(true);
    for (const origin of ["https://evil.example", proxy.url.replace("https", "http")])
      await expect(ada.connect("/", from(origin))).rejects.toThrow();
  });

  test("a login moves the polling of its visitor on, a logout ends the sockets on all nodes", async () => {
    const ada = await visitor();
    const polling = await ada.connect("/", { transports: ["polling"] });
    const again = new Promise<void>((resolve) =>
      polling.once("disconnect", () => polling.once("connect", resolve)),
    );
    await ada.post("/regenerate");
    await ada.post("/login", { name: "countess" });
    await again;
    await expect.poll(() => polling.emitWithAck("read")).toEqual({ name: "countess" });

    const direct = await Promise.all(
      nodes.map(async ({ url }) => {
        const browser = new Browser(url);
        browsers.push(browser);
        browser.cookie = ada.cookie;
        return browser.connect("/", { transports: ["websocket"] });
      }),
    );
    const gone = [polling, ...direct].map((socket) => disconnected(socket));
    await ada.post("/logout");
    expect(await Promise.all(gone)).toEqual(Array(4).fill("io server disconnect"));
  });
});
