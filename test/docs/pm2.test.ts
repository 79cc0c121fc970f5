/** The two files of the guide to PM2, run as its cluster mode does. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "socket.io-client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { freePort } from "../../scripts/services/ports.mjs";
import { Browser, disconnected, refused } from "../support/browser.ts";
import { startProcess } from "../support/node-process.ts";
import { root } from "./markdown.ts";
import { documented, replaceAll } from "./proxy.ts";

const guide = "docs/guide/pm2.md";
const options = { transports: ["websocket"] };

let folder: string;
let cluster: Cluster;
let ada: Browser;

type Cluster = Awaited<ReturnType<typeof startCluster>>;

async function startCluster() {
  const port = await freePort();
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "ecosystem.config.cjs"), documented(guide, "js", 0));
  writeFileSync(
    join(folder, "app.js"),
    replaceAll(documented(guide, "js", 1), { "listen(3000,": `listen(${port}, "127.0.0.1",` }),
  );
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  const complaints: unknown[] = [];
  const script = new URL("fixtures/pm2-cluster.ts", import.meta.url);
  const argument = { folder, url: `http://127.0.0.1:${port}` };
  return { ...(await startProcess(script, argument, (message) => complaints.push(message))), complaints };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "pm2-"));
  vi.stubEnv("SESSION_SECRET", "a secret of thirty-two characters");
  cluster = await startCluster();
  ada = new Browser(cluster.url);
  await ada.post("/login/ada");
});
afterEach(async () => {
  ada.close();
  await cluster.kill();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Sockets of the visitor on at least two workers; `who` asks each for the name that it sees, and its worker. */
async function socketsOfAda() {
  const sockets: Socket[] = [];
  const who = () => Promise.all(sockets.map((socket) => socket.emitWithAck("who am I")));
  const pids = async () => new Set((await who()).map(({ pid }) => pid));
  do sockets.push(await ada.connect("/", options));
  while ((await pids()).size < 2);
  return { sockets, who, pids };
}

test("sessions are one in all workers, and a logout closes the sockets in each", async () => {
  const { sockets, who } = await socketsOfAda();
  expect(new Set((await who()).map(({ name }) => name))).toEqual(new Set(["ada"]));
  const gone = sockets.map(disconnected);
  await ada.post("/logout");
  expect(new Set(await Promise.all(gone))).toEqual(new Set(["io server disconnect"]));
  expect((await refused(ada.socket("/", options))).data).toEqual({ code: "SESSION_ENDED" });
});

test("a reload moves all sockets to new workers, and logs nobody out", async () => {
  const { who, pids } = await socketsOfAda();
  const before = await pids();
  cluster.signal("SIGUSR2");
  await expect.poll(async () => [...(await pids())].filter((pid) => before.has(pid))).toEqual([]);
  expect(new Set((await who()).map(({ name }) => name))).toEqual(new Set(["ada"]));
  expect(cluster.complaints).toEqual([]);
});

test("polling is refused at once: no worker could keep it up", async () => {
  const socket = ada.socket("/", { transports: ["polling"], reconnection: false });
  const answer = new Promise((resolve) =>
    socket.once("connect_error", (error: Error & { context?: { responseText?: string } }) =>
      resolve(error.context?.responseText),
    ),
  );
  expect(await answer).toBe(JSON.stringify({ code: 0, message: "Transport unknown" }));
});
