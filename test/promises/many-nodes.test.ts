import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sqliteStore } from "socket-session/sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Browser, disconnected } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { storeKinds, transportKinds } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Another node in a process of its own, over the same SQLite file. */
async function startProcess(path: string): Promise<{ url: string; child: ChildProcess }> {
  const child = fork(fileURLToPath(new URL("../support/node-process.ts", import.meta.url)), [path], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  closing.push(() => new Promise((resolve) => child.once("exit", resolve).kill()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once("message", (message) => resolve(String(message)));
    child.once("exit", (code) => reject(new Error(`the node exited with ${code}`)));
  });
  return { url, child };
}

describe.each(transportKinds)("two processes on one SQLite file, by $name", ({ transports: kind }) => {
  const transports = [...kind];
  let own: World;
  let other: Browser;
  let ada: Browser;

  beforeEach(async () => {
    const directory = mkdtempSync(join(tmpdir(), "socket-session-"));
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
    const path = join(directory, "sessions.sqlite");
    own = await startWorld({ store: sqliteStore({ path }), sockets: (io) => installHandlers(io) });
    closing.push(() => own.close());
    const { url } = await startProcess(path);
    ada = await own.visitor({ name: "ada" });
    other = new Browser(url);
    other.cookie = ada.cookie;
    closing.push(() => other.close());
  });

  test("a write on one is in the events of the other", async () => {
    const here = await ada.connect("/", { transports });
    const there = await other.connect("/", { transports });
    expect(JSON.parse(await other.get("/session")).data).toEqual({ name: "ada" });
    await ada.post("/write", { name: "lovelace" });
    await expect.poll(() => there.emitWithAck("read")).toEqual({ name: "lovelace" });
    await there.emitWithAck("increment");
    await expect.poll(() => here.emitWithAck("read")).toEqual({ name: "lovelace", n: 1 });
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "lovelace", n: 1 });
  });

  test("updates of both lose nothing", async () => {
    const here = await ada.connect("/", { transports });
    const there = await other.connect("/admin", { transports });
    const updates = Array.from({ length: 50 }, () => [
      here.emitWithAck("increment"),
      there.emitWithAck("increment"),
    ]);
    for (let i = 0; i < 20; i++) await (i % 2 ? ada : other).post("/increment");
    await Promise.all(updates.flat());
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", n: 100, m: 20 });
  });

  test.each(["/logout", "/regenerate"])(
    "%s on one closes the sockets on the other, and no other session's",
    async (end) => {
      const eve = await own.visitor({ name: "eve" });
      const elsewhere = new Browser(other.url);
      closing.push(() => elsewhere.close());
      elsewhere.cookie = eve.cookie;
      const hers = await elsewhere.connect("/", { transports });
      const there = await other.connect("/room-7", { transports, reconnection: false });
      const gone = disconnected(there);
      await ada.post(end);
      expect(await gone).toMatch(end === "/logout" ? /^io server disconnect$/ : /^transport (close|error)$/);
      expect(await hers.emitWithAck("read")).toEqual({ name: "eve" });
      expect(JSON.parse(await other.get("/session")).data).toEqual({});
    },
  );
});

describe("two nodes over a wrapped store, which has no feed", () => {
  test("see each other's changes and ends within revalidateIntervalMs", async () => {
    const kind = storeKinds.find(({ feed }) => !feed);
    const store = kind?.open() ?? "none";
    const options = { store: store as never, revalidateIntervalMs: 50 };
    const own = await startWorld({ ...options, sockets: (io) => installHandlers(io) });
    const second = await startWorld({ ...options, sockets: (io) => installHandlers(io) });
    closing.push(
      () => own.close(),
      () => second.close(),
    );
    const ada = await own.visitor({ name: "ada" });
    const there = second.browser();
    there.cookie = ada.cookie;
    const socket = await there.connect("/");
    const gone = disconnected(socket);
    await ada.post("/write", { name: "lovelace" });
    await expect.poll(() => socket.emitWithAck("read")).toEqual({ name: "lovelace" });
    await ada.post("/logout");
    expect(await gone).toBe("io server disconnect");
    expect(own.sessions.stats().store).toMatchObject({ name: "MemoryStore", atomic: false, feed: "none" });
    expect(own.sessions.stats().store.limits).toHaveLength(2);
  });
});
