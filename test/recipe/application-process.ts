import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Browser } from "../support/browser.ts";
import { execArgv } from "../support/node-process.ts";

/** An application in a process of its own. */
export interface ApplicationProcess {
  browser(): Browser;
  /** `up`, or what it died of; and the codes of what it has reported as errors. */
  state(): Promise<{ process: string; errors: string[] }>;
}

const path = (name: string) => fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url));

/** Runs `story` with such a process, which ends afterwards if it has not by then. */
export async function withProcess<Outcome>(
  application: "ours" | "recipe",
  handlers: "ours" | "recipe",
  story: (running: ApplicationProcess) => Promise<Outcome>,
): Promise<Outcome> {
  const stdio = ["ignore", "ignore", "pipe", "ipc"] as const;
  const child = fork(path("application-process"), [application, handlers], { execArgv, stdio: [...stdio] });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const closed: Promise<unknown[]> = once(child, "close");
  const browsers: Browser[] = [];
  try {
    const [url] = await Promise.race([
      once(child, "message"),
      closed.then(([code]) => Promise.reject(new Error(`The application ended with ${code}: ${said}`))),
    ]);
    return await story({
      browser() {
        const one = new Browser(url);
        browsers.push(one);
        return one;
      },
      async state() {
        try {
          const response = await fetch(new URL("/errors", url));
          return { process: "up", errors: (await response.json()) as string[] };
        } catch {
          const [code] = await closed; // nobody listens there any more: it has ended, or is about to
          return { process: `ended with ${code}: ${/^\w*Error: .*$/m.exec(said)?.[0]}`, errors: [] };
        }
      },
    });
  } finally {
    for (const one of browsers) one.close();
    child.kill("SIGKILL");
    await closed;
  }
}
