/** The two programs and the page of the guide to two hosts, run as they stand but for the addresses. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openProfile, type Profile } from "../../apps/chat/test/chromium.ts";
import { chromiumPath, describeWithChromium, withService } from "../setup/services.ts";
import { closeAfterEach } from "./close-after-each.ts";
import { Project } from "./project.ts";
import { documented, replaceAll } from "./proxy.ts";

const guide = "docs/guide/two-hosts.md";
const redis = withService("redis");
const opened = closeAfterEach();

interface Host {
  readonly project: Project;
  readonly url: string;
  readonly command: string;
}

/** A host whose program is not started yet. */
async function host(program: string, hostname: string): Promise<Host> {
  const project = opened(new Project("5"));
  const url = `http://${hostname}:${await project.choosePort()}`;
  const variables = `SESSION_SECRET=a-secret-of-thirty-two-characters REDIS_URL=${new URL("/14", redis.url)}`;
  return { project, url, command: `env ${variables} node ${program}` };
}

async function startHosts(): Promise<{ pages: Host; sockets: Host }> {
  const [pages, sockets] = [await host("pages.mts", "localhost"), await host("sockets.mts", "127.0.0.1")];
  const page = replaceAll(documented(guide, "html"), { "https://sockets.example.net": sockets.url });
  pages.project.write("pages.mts", documented(guide, "ts"));
  pages.project.write("page.html", page);
  const program = replaceAll(documented(guide, "ts", 1), { "https://www.example.com": pages.url });
  sockets.project.write("sockets.mts", program);
  for (const { project, command } of [pages, sockets]) await project.start(command);
  return { pages, sockets };
}

redis.describe("over Redis", () => {
  describeWithChromium("in a browser that blocks third-party cookies", { timeout: 90_000 }, () => {
    let profile: Profile;
    beforeAll(async () => {
      profile = await openProfile(chromiumPath(), { thirdPartyCookies: "blocked" });
      profile.context.setDefaultTimeout(30_000); // a client that has lost its connection waits between its attempts
    }, 60_000);
    afterAll(() => profile?.close());

    const says = (page: Page, text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();

    test("the page is refused, logs in, reconnects, and is logged out in both tabs", async () => {
      const { pages, sockets } = await startHosts();
      const open = async () => {
        const page = await profile.context.newPage();
        await page.goto(pages.url);
        return page;
      };
      const page = await open();
      await says(page, "Not logged in (SESSION_REQUIRED).");
      await page.getByLabel("Your name").fill("Ada");
      await page.getByRole("button", { name: "Log in" }).click();
      await says(page, "You are Ada.");
      const second = await open();
      await says(second, "You are Ada.");

      const lost = page.waitForRequest(/\/session\/ticket$/);
      await sockets.project.stop();
      await sockets.project.start(sockets.command);
      await lost;
      await page.getByLabel("Your name").fill("Lovelace");
      await page.getByRole("button", { name: "Log in" }).click();
      for (const tab of [page, second]) await says(tab, "You are Lovelace.");

      await second.getByRole("button", { name: "Log out" }).click();
      for (const tab of [page, second]) await says(tab, "Logged out (destroyed).");
      expect((await profile.context.cookies()).map(({ domain }) => domain)).toEqual(["localhost"]);
      expect(pages.project.output).toBe("");
    });
  });
});
