/** The page and the recipes of the guide to the browser, each in what it is for. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Express } from "express";
import type { Browser as Chromium, Page } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { type SessionSnapshot, sessionClient } from "socket-session/client";
import { stateEvent } from "socket-session/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { effectScope, nextTick, watchEffect } from "vue";
import { useSession as useReactSession, useSecondsLeft } from "../../docs/guide/examples/react-session.ts";
import { sessionStore } from "../../docs/guide/examples/svelte-session.ts";
import { useSession as useVueSession } from "../../docs/guide/examples/vue-session.ts";
import { bundle } from "../client/bundle.ts";
import { FakeSocket, live } from "../client/fake-socket.ts";
import { launch } from "../client/page.ts";
import { describeWithChromium } from "../setup/services.ts";
import { startWorld, type World } from "../support/world.ts";
import { destroyRef } from "./fixtures/angular-core.ts";
import { documentAt, root } from "./markdown.ts";
import { documented } from "./proxy.ts";

const guide = "docs/guide/browser.md";
const examples = ["page", "react-session", "vue-session", "svelte-session", "angular-session"];

vi.mock("@angular/core", () => import("./fixtures/angular-core.ts"));

test.each(examples)("%s.ts is in the guide as it is", (name) => {
  const text = readFileSync(join(root, `docs/guide/examples/${name}.ts`), "utf8").trimEnd();
  expect(documentAt(guide).blocks.map(({ code }) => code)).toContain(text);
});

describe("the recipe for", () => {
  let socket: FakeSocket;
  let session: ReturnType<typeof sessionClient<{ name: string }>>;
  beforeEach(() => {
    socket = new FakeSocket();
    session = sessionClient(socket);
  });
  afterEach(() => session.close());

  const rename = (name: string) => socket.receive(stateEvent, live({ data: { name } }));
  /** Without those of the client itself, a change has none to tell. */
  const isFollowed = (seen: () => unknown) => {
    const before = seen();
    rename("edsger");
    return seen() !== before;
  };

  test("React shows connecting on the server, whatever the state", () => {
    socket.welcome(live());
    const Page = () => createElement("p", null, useReactSession(session).state);
    expect(renderToString(createElement(Page))).toBe("<p>connecting</p>");
  });

  test("React shows no time on the server, with which the browser's first render has to agree", () => {
    socket.welcome(live());
    const Page = () => createElement("p", null, useSecondsLeft(session));
    expect(renderToString(createElement(Page))).toBe("<p></p>");
  });

  test("Vue follows the state, until its scope is stopped", async () => {
    const names: unknown[] = [];
    const scope = effectScope();
    const snapshot = scope.run(() => {
      const snapshot = useVueSession(session);
      watchEffect(() => void names.push(snapshot.value.data?.name));
      return snapshot;
    });
    socket.welcome(live());
    await nextTick();
    rename("grace");
    await nextTick();
    expect(names).toEqual([undefined, "ada", "grace"]);
    scope.stop();
    expect(isFollowed(() => snapshot?.value)).toBe(false);
  });

  test("Svelte keeps the contract of a store", () => {
    socket.welcome(live());
    const names: unknown[] = [];
    const unsubscribe = sessionStore(session).subscribe(({ data }) => names.push(data?.name));
    expect(names).toEqual(["ada"]); // at once
    rename("grace");
    expect(names).toEqual(["ada", "grace"]);
    unsubscribe();
    expect(isFollowed(() => names.length)).toBe(false);
  });

  test("Angular follows the state, until its service or component is destroyed", async () => {
    // Its types are checked with the guide: there is no such package here.
    const { sessionSignal } = await import(join(root, "docs/guide/examples/angular-session.ts"));
    const snapshot: () => SessionSnapshot<{ name: string }> = sessionSignal(session);
    expect(snapshot().state).toBe("connecting");
    socket.welcome(live());
    expect(snapshot().data?.name).toBe("ada");
    destroyRef.destroy();
    expect(isFollowed(snapshot)).toBe(false);
  });
});

describeWithChromium("in Chromium", { timeout: 60_000 }, () => {
  let chromiumBrowser: Chromium;
  let world: World;
  beforeAll(async () => {
    chromiumBrowser = await launch();
  }, 60_000);
  afterAll(() => chromiumBrowser?.close());
  afterEach(() => world.close());

  /** A page with this body and script, at `/`. */
  async function open(body: string, input: string): Promise<Page> {
    const { code } = await bundle(input);
    const routes = (app: Express) => {
      app.get("/page.js", (_req, res) => void res.type("js").send(code));
      app.get(
        "/",
        (_req, res) =>
          void res.send(
            `<!doctype html><title>A page</title>${body}<script type="module" src="/page.js"></script>`,
          ),
      );
    };
    world = await startWorld({
      guests: "refuse",
      attach: { share: ({ name }) => ({ name }) },
      routes(app, sessions) {
        app.use("/session", sessions.routes());
        routes(app);
      },
    });
    const context = await chromiumBrowser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(world.url);
    return page;
  }

  const says = (page: Page, text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();

  test("the page of the guide logs in and out, in both tabs", async () => {
    const page = await open(documented(guide, "html"), "docs/guide/examples/page.ts");
    await says(page, "Log in first.");
    const other = await page.context().newPage();
    await other.goto(world.url);
    await says(other, "Log in first.");
    await page.getByLabel("Your name").fill("Ada");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    for (const tab of [page, other]) await says(tab, "You are Ada.");
    await page.context().setOffline(true);
    await says(page, "Connecting …");
    expect(await page.getByRole("button", { name: "Log in", exact: true }).isVisible()).toBe(false);
    await page.context().setOffline(false);
    for (const tab of [page, other]) await says(tab, "You are Ada.");
    await other.getByRole("button", { name: "Log out" }).click();
    for (const tab of [page, other]) await says(tab, "You are logged out.");
    await page.context().close();
  });

  test("the hooks for React show each change", async () => {
    const page = await open(`<div id="root"></div>`, "test/docs/fixtures/react-page.mjs");
    await says(page, "refused");
    await page.evaluate(`fetch("/login", {
      method: "POST", headers: { "content-type": "application/json" }, body: '{"name":"Ada"}'
    }).then((response) => response.text())`);
    await page.reload();
    await says(page, "live Ada for now");
    await page.evaluate(`fetch("/write", {
      method: "POST", headers: { "content-type": "application/json" }, body: '{"name":"Grace"}'
    }).then((response) => response.text())`);
    await says(page, "live Grace for now");
    await page.context().close();
  });
});
