import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { sqliteStore } from "socket-session/sqlite";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type ServiceName, withService } from "../setup/services.ts";
import { Browser, disconnected } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";
import { certificate, type RunningProxy } from "./proxy.ts";

export interface ProxyTraits {
  /** Starts it before nodes at these hosts. */
  readonly start: (binary: string, nodes: readonly string[]) => Promise<RunningProxy>;
  /** What it sends to different nodes: plain requests of one visitor, or whole visitors. */
  readonly spreads: "requests" | "visitors";
}

/** What a guide to a proxy promises of its configuration, before three nodes. */
export function describeProxy(name: ServiceName, { start, spreads }: ProxyTraits): void {
  const service = withService(name);
  service.describe(`${name} before three nodes`, () => {
    let folder: string;
    let nodes: World[];
    let proxy: RunningProxy;
    let browsers: Browser[];

    beforeAll(async () => {
      tls.setDefaultCACertificates([...tls.getCACertificates(), readFileSync(certificate, "utf8")]);
      folder = mkdtempSync(join(tmpdir(), "proxy-nodes-"));
      nodes = await Promise.all(["one", "two", "three"].map((node) => startNode(folder, node)));
      proxy = await start(
        service.url,
        nodes.map(({ url }) => new URL(url).host),
      );
      browsers = [];
    });
    afterEach(() => {
      for (const browser of browsers.splice(0)) browser.close();
    });
    afterAll(async () => {
      for (const node of nodes ?? []) await node.close(); // first, as a proxy may wait for a poll under way
      await proxy?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    async function visitor(data = "ada"): Promise<Browser> {
      const one = new Browser(proxy.url);
      browsers.push(one);
      await one.post("/login", { name: data });
      return one;
    }

    test("over plain http leads to https", async () => {
      const response = await fetch(`${proxy.plainUrl}/somewhere?q=1`, { redirect: "manual" });
      expect([301, 308]).toContain(response.status);
      const { protocol, hostname, pathname, search } = new URL(response.headers.get("location") ?? "");
      expect({ protocol, pathname, search }).toEqual({
        protocol: "https:",
        pathname: "/somewhere",
        search: "?q=1",
      });
      expect(["localhost", "chat.example"]).toContain(hostname);
    });

    test("lets secure cookies be set, as the nodes learn that it was https", async () => {
      const login = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
      const through = await fetch(`${proxy.url}/login`, login);
      expect(through.headers.getSetCookie()).toContainEqual(
        expect.stringMatching(/^sid=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
      );
      const past = await fetch(`${nodes[0]?.url}/login`, login);
      expect(past.headers.get("set-cookie")).toBeNull();
    });

    test("says of the visitor what is true, whatever the visitor says", async () => {
      const spoofed = { for: "9.9.9.9", host: "evil.example", proto: "http" };
      const headers = Object.entries(spoofed).map(([key, value]): [string, string] => [
        `x-forwarded-${key}`,
        value,
      ]);
      const response = await fetch(`${proxy.url}/forwarded`, { headers });
      expect(await response.json()).toEqual({
        "x-forwarded-for": expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
        "x-forwarded-host": new URL(proxy.url).host,
        "x-forwarded-proto": "https",
      });
    });

    test(`spreads ${spreads}, which are of one session on every node`, async () => {
      const seen = new Set<string>();
      let ada = await visitor();
      for (let n = 0; n < 12; n++) {
        if (spreads === "visitors") ada = await visitor();
        seen.add(await ada.get("/node"));
        expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
      }
      if (spreads === "requests") expect([...seen].sort()).toEqual(["one", "three", "two"]);
      else expect(seen.size).toBeGreaterThan(1);
    });

    test("keeps polling with its node, each visitor's with one of them", async () => {
      const seen = new Set<string>();
      for (let n = 0; n < 12; n++) {
        const ada = await visitor(`ada ${n}`);
        const socket = await ada.connect("/", { transports: ["polling"], reconnection: false });
        const node = await socket.emitWithAck("node");
        for (let i = 1; i <= 5; i++) expect(await socket.emitWithAck("increment")).toBe(i);
        expect([await socket.emitWithAck("node"), socket.io.engine.transport.name]).toEqual([
          node,
          "polling",
        ]);
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
}

const forwarded = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

function startNode(folder: string, name: string): Promise<World> {
  return startWorld({
    store: sqliteStore({ path: join(folder, "sessions.sqlite") }),
    cookie: { sameSite: "lax", secure: true },
    proxy: true,
    routes: (app) => {
      app.get("/node", (_req, res) => void res.send(name));
      app.get(
        "/forwarded",
        (req, res) =>
          void res.json(Object.fromEntries(forwarded.map((header) => [header, req.headers[header]]))),
      );
    },
    sockets: (io) => installHandlers(io, (socket) => socket.on("node", (done) => done(name))),
  });
}
