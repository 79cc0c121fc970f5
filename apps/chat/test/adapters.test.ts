/** The adapters by themselves: sessions need none, and an adapter's database may go away and come back. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server } from "socket.io";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startPostgres } from "../../../scripts/services/postgres.mjs";
import { startRedis } from "../../../scripts/services/redis.mjs";
import { ring } from "../../../test/setup/ring.ts";
import { withService } from "../../../test/setup/services.ts";
import { readDatabaseUrl } from "../server/database-url.ts";
import { openAdapter } from "../server/open-adapter.ts";
import { type BuiltPage, buildPage } from "./build-page.ts";
import { openElsewhere, StartedChat } from "./started-chat.ts";
import { isNamed, type Tab, type Visitor } from "./visitors.ts";

let folder: string;
let page: BuiltPage;
let closing: (() => Promise<void>)[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "chat-adapters-"));
  page = await buildPage();
  closing = [];
}, 60_000);
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  await page.remove();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** Two nodes over a file, with two tabs of Ada's on one and the other. */
async function startTwo(variables: Record<string, string>) {
  const STORE = `file:${folder}/chat.sqlite`;
  const settings = { STORE, NODES: "2", ...variables };
  const chat = new StartedChat({ flag: "--cluster", pageDir: page.dir, folder, variables: settings });
  closing.push(() => chat.close());
  await chat.start();
  const ada = await chat.member("Ada");
  const one = await openElsewhere(ada, []);
  const two = await openElsewhere(ada, [one.node]);
  return { chat, ada, one: one.tab, two: two.tab };
}

async function renamedOnBoth(ada: Visitor, name: string, tabs: readonly Tab[]): Promise<void> {
  await ada.post("/rename", { name });
  for (const tab of tabs) await tab.until("session:state", isNamed(name));
}

test("with no adapter at all a session is one on all nodes, and messages stay on theirs", {
  timeout: 60_000,
}, async () => {
  const { chat, ada, one, two } = await startTwo({ ADAPTER: "none" });
  await expect.poll(() => chat.output).toContain("Socket.IO adapter: none, so messages stay on their node");
  await one.say("Only here.");
  await renamedOnBoth(ada, "Countess", [one, two]);
  await two.say("And only here.");
  expect(await two.until("message")).toMatchObject({ name: "Countess", text: "And only here." });
  await ada.post("/logout");
  for (const tab of [one, two]) expect(await tab.until("session:end")).toEqual({ reason: "destroyed" });
});

const redisAdapters = [
  { ADAPTER: "redis-streams", service: withService("redis"), startServer: startRedis },
  { ADAPTER: "redis", service: withService("redis"), startServer: startRedis },
];

describe.each([
  { ADAPTER: "postgres", service: withService("postgres"), startServer: startPostgres },
  // That these go on without their database is shown below as well.
  ...(ring === "product" ? redisAdapters : []),
])("$ADAPTER", ({ ADAPTER, service, startServer }) => {
  test.skipIf(service.isMissing)(
    "outlives its database, and sessions don't notice",
    { timeout: 90_000 },
    async () => {
      const server = await startServer();
      closing.push(() => server.close());
      const { chat, ada, one, two } = await startTwo({ ADAPTER, ADAPTER_URL: server.url });
      const workers = await chat.workers();
      /** Sends a new message each time, until the other node receives one. */
      const crosses = () => {
        let said = 0;
        const heard = new Set<string>();
        two.socket.on("message", ({ text }) => heard.add(text));
        const sayAndLook = async () => {
          await one.say(`${ADAPTER} ${said++}`);
          return heard.size > 0;
        };
        return expect.poll(sayAndLook, { timeout: 30_000, interval: 1_100 }).toBe(true);
      };
      await crosses();

      await server.kill();
      await one.say("Is anybody there?");
      await renamedOnBoth(ada, "Countess", [one, two]);
      await server.start();
      await crosses();
      expect(await chat.workers()).toEqual(workers);
    },
  );
});

const redis = withService("redis");

redis.describe.each(["redis-streams", "redis"] as const)("%s", (name) => {
  test("tells of a message that was under way when Redis died, and goes on", async () => {
    const server = await startRedis();
    closing.push(() => server.close());
    const address = readDatabaseUrl(server.url);
    if (!address) throw new Error("no address of a database");
    const opened = await openAdapter({ name, address, isNamed: true }, false);
    const io = new Server(createServer(), opened.adapter ? { adapter: opened.adapter } : {});
    closing.push(async () => {
      await io.close();
      await opened.close();
    });
    const errors = vi.spyOn(console, "error").mockReturnValue();
    server.freeze();
    io.serverSideEmit("said", "Is anybody there?");
    if (server.pid !== undefined) process.kill(server.pid, "SIGKILL"); // while it is frozen: it never answers
    await server.kill();
    await expect
      .poll(() => errors.mock.calls.flat().join("\n"))
      .toMatch(/^A message to other nodes was lost: /m);
    errors.mockRestore();
  });
});

const mongodb = withService("mongodb");

mongodb.describe("mongo on a standalone server, which has no change streams", () => {
  const choice = (isNamed: boolean) => {
    const address = readDatabaseUrl(mongodb.url);
    if (!address) throw new Error("no address of a database");
    return { name: "mongo", address, isNamed } as const;
  };

  test("is refused if it was named", async () => {
    await expect(openAdapter(choice(true), true)).rejects.toThrow(
      /^ADAPTER=mongo: a standalone mongod has no change streams.*ADAPTER=redis/,
    );
  });

  test("gives way to the cluster's, or to none", async () => {
    expect(await openAdapter(choice(false), true)).toMatchObject({
      note: expect.stringMatching(/^Socket\.IO adapter: cluster \(a standalone mongod/),
    });
    expect(await openAdapter(choice(false), false)).toMatchObject({
      adapter: undefined,
      note: expect.stringMatching(/: none, .*a standalone mongod.*name another with ADAPTER/),
    });
  });
});
