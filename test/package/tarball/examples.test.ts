/** The examples by their own commands, with the package as it is published. All share one folder of packages. */
import { cpSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, type TestContext, test } from "vitest";
import { launchChromium } from "../../../apps/chat/test/chromium.ts";
import { freePort } from "../../../scripts/services/ports.mjs";
import { chromiumPath, withService } from "../../setup/services.ts";
import { says, tellPage } from "../../support/example-page.ts";
import { type ExampleOptions, tellExample } from "../../support/example-story.ts";
import { root } from "../sources.ts";
import { folder, install } from "./install.ts";
import { startCommand } from "./start-command.ts";

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies?: Record<string, string>;
  scripts: Record<string, string>;
}

const examples = join(root, "examples");
const manifests = globSync("*/package.json", { cwd: examples }).map(
  (path): Manifest => JSON.parse(readFileSync(join(examples, path), "utf8")),
);
const packages = manifests.flatMap(({ dependencies, devDependencies }) =>
  Object.entries({ ...dependencies, ...devDependencies }),
);

const place = () => folder("examples");

beforeAll(async () => {
  const wanted = packages.map(([name, version]) => (name === "socket-session" ? name : `${name}@${version}`));
  await install("examples", [...new Set(wanted)], "--prefer-offline");
  cpSync(examples, place(), { recursive: true });
});

test("the examples ask for the same version of a package, and for one of each", () => {
  const versionsByName = Map.groupBy(packages, ([name]) => name);
  for (const [name, versions] of versionsByName) {
    const [version, ...others] = new Set(versions.map(([, one]) => one));
    expect({ name, version, others }).toEqual({ name, version: expect.stringMatching(/\d/), others: [] });
  }
});

type Context = Pick<TestContext, "onTestFailed" | "onTestFinished">;

/** Runs a command in a folder of the examples until the test is finished. Resolves when it answers on the port. */
async function run(
  command: string,
  name: string,
  port: number,
  PORT: number,
  { onTestFailed, onTestFinished }: Context,
) {
  const started = startCommand(command, {
    cwd: join(place(), name),
    env: { PORT: `${PORT}`, NEXT_TELEMETRY_DISABLED: "1" },
  });
  onTestFinished(() => started.close());
  onTestFailed(() => console.error(`${command}:\n${started.said}`));
  await started.answering(port);
}

describe("the quick start", () => {
  test.for([
    "node node_modules/socket-session/examples/quick-start.mjs",
    "node quick-start.mjs",
    "node quick-start.cjs",
    "node --disable-warning=ExperimentalWarning --experimental-strip-types quick-start.mts",
  ])("by %s", async (command, context) => {
    const port = await freePort();
    await run(command, ".", port, port, context);
    await tellExample(`http://localhost:${port}`);
  });
});

const api: ExampleOptions = { login: "/api/login", logout: "/api/logout", shares: true };
const user: ExampleOptions = { form: { username: "ada", password: "changeit" }, name: "ada" };

/** Pages that are not the quick start's. */
async function tellOwnPage(url: string, then?: Parameters<typeof tellPage>[2]): Promise<void> {
  if (withService("chromium").isMissing) return;
  const chromium = await launchChromium(chromiumPath());
  try {
    await tellPage(chromium, url, then);
  } finally {
    await chromium.close();
  }
}

describe.concurrent("the example", () => {
  test.for<[name: string, command: string, options?: ExampleOptions]>([
    ["fastify", "npm start"],
    ["passport", "npm start", user],
    ["nestjs", "npm start"],
  ])("%s, by %s", async ([name, command, options], context) => {
    const port = await freePort();
    await run(command, name, port, port, context);
    await tellExample(`http://localhost:${port}`, options);
  });

  test("nextjs, by npm run dev", async (context) => {
    const port = await freePort();
    await run("npm run dev", "nextjs", port, port, context);
    await tellExample(`http://localhost:${port}`, api);
    await tellOwnPage(`http://localhost:${port}`);
  });

  test("vite, by npm run server and npm run dev", async (context) => {
    const [port, pagePort] = [await freePort(), await freePort()];
    await run("npm run server", "vite", port, port, context);
    const page = `npm run dev -- --host 127.0.0.1 --strictPort --port ${pagePort}`;
    await run(page, "vite", pagePort, port, context);
    await tellExample(`http://localhost:${pagePort}`, api);
    await tellOwnPage(`http://localhost:${pagePort}`, async (tab) => {
      await tab.route("**/api/logout", (route) => route.fulfill({ status: 503 }), { times: 1 });
      const logOut = tab.getByRole("button", { name: "Log out" });
      await logOut.click();
      await says(tab, "The server failed (503), try again.");
      await logOut.click();
      await says(tab, "Logged out (destroyed).");
    });
  });
});
