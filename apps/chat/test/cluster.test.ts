/** The chat as several processes behind one address, over each store. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ring } from "../../../test/setup/ring.ts";
import { type BuiltPage, buildPage } from "./build-page.ts";
import { openElsewhere, StartedChat } from "./started-chat.ts";
import { storeKinds } from "./store-kinds.ts";

let page: BuiltPage;
beforeAll(async () => {
  page = await buildPage();
}, 60_000);
afterAll(() => page?.remove());

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "chat-cluster-"));
}

const removeFolder = (folder: string) => rmSync(folder, { recursive: true, force: true });

for (const { name, service, prepare, adapter } of storeKinds) {
  service.describe(`three nodes over ${name}`, { timeout: 90_000 }, () => {
    let chat: StartedChat;
    let close: () => Promise<void>;
    beforeAll(async () => {
      const folder = newFolder();
      const { STORE, remove } = await prepare(folder);
      chat = new StartedChat({ flag: "--cluster", pageDir: page.dir, folder, variables: { STORE } });
      close = async () => {
        await chat.close();
        await remove();
        removeFolder(folder);
      };
      await chat.start();
    }, 90_000);
    afterEach(() => chat.leave());
    afterAll(() => close?.());

    test("visitors on different nodes are in one chat, and a session is one on all of them", async () => {
      await expect.poll(() => chat.output).toContain(`Socket.IO adapter: ${adapter}`);
      const [ada, grace] = [await chat.member("Ada"), await chat.member("Grace")];
      const tab = await ada.open();
      const node = await tab.until("node");
      const { tab: secondTab, node: second } = await openElsewhere(ada, [node]);
      const { tab: other } = await openElsewhere(grace, [node, second]);

      for (const one of [tab, secondTab, other])
        expect(await one.until("here", ({ people }) => people.length === 2)).toMatchObject({
          people: [{ name: "Ada" }, { name: "Grace" }],
          guests: 0,
        });
      await tab.say("Is anybody there?");
      expect(await other.until("message")).toMatchObject({ name: "Ada", text: "Is anybody there?" });
      await other.say("On another node, yes.");
      for (const one of [tab, secondTab])
        expect(await one.until("message", ({ name }) => name === "Grace")).toBeDefined();

      expect(await ada.post("/rename", { name: "Countess" })).toBe("303 /");
      const isRenamed = ({ people }: { people: readonly { name: string }[] }) =>
        people[0]?.name === "Countess";
      await Promise.all([tab, secondTab, other].map((one) => one.until("here", isRenamed)));
      await secondTab.say("It's me.");
      expect(await other.until("message")).toMatchObject({ name: "Countess", text: "It's me." });

      expect(await ada.post("/logout")).toBe("303 /");
      for (const one of [tab, secondTab])
        expect(await one.until("session:end")).toEqual({ reason: "destroyed" });
      expect(await other.until("here", ({ people }) => people.length === 1)).toMatchObject({
        people: [{ name: "Grace" }],
      });
      expect(await other.say("Goodbye.")).toEqual({ ok: true });
    });

    // The balancer and the restart of a node, which no store has a part in.
    if (name !== "a file" && ring !== "product") return;
    test("polling stays with its node", async () => {
      const grace = await chat.member("Grace");
      const transports = ["polling"];
      const first = await openElsewhere(grace, [], { transports });
      const second = await openElsewhere(grace, [first.node], { transports });
      const third = await openElsewhere(grace, [first.node, second.node], { transports });
      const tabs = [first.tab, second.tab, third.tab];
      const ids = tabs.map(({ socket }) => socket.id);
      for (const [index, tab] of tabs.entries()) {
        expect(await tab.say(`by polling ${index}`)).toEqual({ ok: true });
        for (const one of tabs) await one.until("message", ({ text }) => text === `by polling ${index}`);
      }
      expect(tabs.map(({ socket }) => socket.id)).toEqual(ids);
    });

    test("a node that dies is started again, and told what was said before", async () => {
      const ada = await chat.member("Ada");
      await (await ada.open()).say("Remember me.");
      const [victim = 0, ...others] = await chat.workers();
      process.kill(victim, "SIGKILL");
      await expect
        .poll(() => chat.output)
        .toMatch(/^node [123] has ended \(SIGKILL\)\. Starting it again\.$/m);
      // also by the one that has not started yet
      const requests = Array.from({ length: 6 }, () =>
        chat.visitor().request("/", { signal: AbortSignal.timeout(40_000) }),
      );
      for (const { status } of await Promise.all(requests)) expect(status).toBe(200);
      const workers = await chat.workers();
      expect(workers).toHaveLength(3);
      expect(workers).toEqual(expect.arrayContaining(others));
      const nodesThatRemember = new Set<string>();
      const visit = async () => {
        const tab = await chat.visitor().open();
        const node = await tab.until("node");
        const history = await tab.until("history");
        tab.socket.disconnect();
        if (history.some(({ text }) => text === "Remember me.")) nodesThatRemember.add(node);
        return [...nodesThatRemember].sort();
      };
      await expect.poll(visit, { timeout: 40_000 }).toEqual(["node 1", "node 2", "node 3"]);
    });
  });
}

describe("the cluster", { timeout: 90_000 }, () => {
  let folder: string;
  let clusters: StartedChat[];
  beforeEach(() => {
    folder = newFolder();
    clusters = [];
  });
  afterEach(async () => {
    for (const one of clusters) await one.close();
    removeFolder(folder);
  });

  const STORE = () => `file:${folder}/chat.sqlite`;

  function cluster(variables: Record<string, string>): StartedChat {
    const settings = { NODES: "2", ...variables };
    const one = new StartedChat({ flag: "--cluster", pageDir: page.dir, folder, variables: settings });
    clusters.push(one);
    return one;
  }

  test.each(["SIGINT", "SIGTERM"] as const)("ends whole at %s", async (signal) => {
    const chat = await cluster({ STORE: STORE() }).start();
    const workers = await chat.workers();
    expect(workers).toHaveLength(2);
    await (await chat.member("Ada")).open();
    chat.primary.kill(signal);
    expect(await chat.end()).toBe(0);
    for (const pid of workers) expect(isRunning(pid)).toBe(false);
  });

  test("kills a worker that does not end", async () => {
    const chat = await cluster({ STORE: STORE() }).start();
    const [stuck = 0] = await chat.workers();
    process.kill(stuck, "SIGSTOP");
    chat.primary.kill("SIGTERM");
    expect(await chat.end()).toBe(0);
    expect(isRunning(stuck)).toBe(false);
  });

  test("keeps the sessions from one start to the next, and has its nodes called as it is told", async () => {
    const first = await cluster({ STORE: STORE(), NODE_NAME: "eu" }).start();
    const ada = await first.member("Ada");
    expect(await (await ada.open()).until("node")).toMatch(/^eu [12]$/);
    await first.close();
    const second = await cluster({ STORE: STORE() }).start();
    const again = second.visitor();
    again.cookie = ada.cookie;
    const tab = await again.open();
    expect(await tab.until("here", ({ people }) => people.length > 0)).toMatchObject({
      people: [{ name: "Ada" }],
    });
  });

  test("leaves no worker behind when the primary is killed", async () => {
    const chat = await cluster({ STORE: STORE() }).start();
    const workers = await chat.workers();
    chat.primary.kill("SIGKILL");
    for (const pid of workers) await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);
  });

  test.each([
    ["memory", "STORE=memory keeps the sessions in one process, and the nodes of a cluster are several."],
    ["redis://user:hunter2@127.0.0.1:1", "STORE names redis://127.0.0.1:1, and no connection could be made:"],
  ])("says once why it can't start: %s", async (STORE, words) => {
    const chat = cluster({ STORE });
    expect(await chat.end()).toBe(1);
    expect(chat.output.split(words)).toHaveLength(2);
    expect(chat.output).not.toContain("hunter2");
    expect(chat.output).not.toMatch(/^ +at /m);
  });

  test("says that its port is taken", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, resolve));
    const address = taken.address();
    const PORT = typeof address === "object" && address ? String(address.port) : "";
    const chat = cluster({ STORE: STORE(), PORT });
    expect(await chat.end()).toBe(1);
    taken.close();
    expect(chat.output).toContain(`Port ${PORT} is taken.`);
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // what else a signal of 0 can fail for does not happen to one's own processes
  }
}
