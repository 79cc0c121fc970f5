/** A node of the cluster that a visitor stops for a while. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ring } from "../../../test/setup/ring.ts";
import { withService } from "../../../test/setup/services.ts";
import { type BuiltPage, buildPage } from "./build-page.ts";
import { launchChromium } from "./chromium.ts";
import { logIn, tells } from "./on-page.ts";
import { openElsewhere, StartedChat } from "./started-chat.ts";

const chromium = withService("chromium");

describe("a node that a visitor stops", { timeout: 90_000 }, () => {
  let folder: string;
  let page: BuiltPage;
  let chat: StartedChat;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "chat-stopped-"));
    page = await buildPage();
    const variables = { NODES: "2", STORE: `file:${folder}/chat.sqlite` };
    chat = await new StartedChat({ flag: "--cluster", pageDir: page.dir, folder, variables }).start();
  }, 60_000);
  afterEach(async () => {
    await chat.close();
    await page.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is started again, and its visitors go on elsewhere in the same session; the last one can't be stopped", async () => {
    const ada = await chat.member("Ada");
    const { tab, node } = await openElsewhere(ada, []);
    const { tab: other, node: otherNode } = await openElsewhere(ada, [node]);
    const { id } = other.socket;
    expect(await ada.act("/try/stop-node", { node: "node 3" })).toMatchObject({ ok: true }); // there is none
    expect(await ada.act("/try/stop-node", { node })).toMatchObject({ ok: true });
    expect(await other.until("story", (words) => words.includes("stopped"))).toBe(
      `${node} was stopped by a visitor. Its visitors go on elsewhere.`,
    );
    expect(await ada.act("/try/stop-node", { node: otherNode })).toMatchObject({ ok: true });
    expect(await tab.until("session:state")).toMatchObject({ state: "live", publicId: tab.publicId });
    expect(await tab.until("node")).toBe(otherNode);
    expect(await other.until("story", (words) => words.endsWith("back."))).toBe(`${node} is back.`);
    await openElsewhere(ada, [otherNode]);
    expect(other.socket.id).toBe(id);
  });

  if (ring === "product") {
    test.skipIf(chromium.isMissing)(
      "is the one that has the page's socket, as the page says before and after",
      async () => {
        const browser = await launchChromium(chromium.url);
        try {
          const tab = await browser.newPage();
          await tab.goto(chat.url);
          await tab.getByText(/^Page(: node [12],| and) socket: node [12]$/).waitFor();
          await logIn(tab, "Ada");
          await tab.getByRole("button", { name: /^Stop node [12], which has my socket/ }).click();
          await tells(tab, "This tab lost its connection, but not its session.");
          await tells(tab, /^Connected again after [\d.]+ s, in the same session, on node [12]/);
          await tells(tab, /^node [12] is back\.$/);
        } finally {
          await browser.close();
        }
      },
    );
  }
});
